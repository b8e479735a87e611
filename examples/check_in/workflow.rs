//! Check-in: a seat, a barcode, a boarding pass; by mail when the barcode service takes its time.
//! It knows the outside world only through its steps.

use workflow_runtime::prelude::*;

use crate::airline::{Airline, Unreachable};

/// Who wants to fly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passenger {
    /// The booking.
    pub booking: String,
    /// The name.
    pub name: String,
    /// Where to write to.
    pub email: String,
}

/// What gets a passenger on board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoardingPass {
    /// The booking.
    pub booking: String,
    /// The seat.
    pub seat: String,
    /// What the gate reads.
    pub barcode: String,
}

/// Why nobody is checked in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum CheckInError {
    /// No seat left
    #[error(transparent)]
    NoSeat(#[from] SeatError),
    /// No barcode
    #[error(transparent)]
    NoBarcode(#[from] BarcodeError),
}

/// What the seat map answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum SeatError {
    /// Flight full
    #[error("the flight is full")]
    Full,
}

/// What the barcode service answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BarcodeError {
    /// Service down
    #[error("the barcode service does not answer")]
    #[step_error(transient)]
    Unreachable,
    /// Booking unknown
    #[error("the barcode service knows no such booking")]
    UnknownBooking,
}

impl From<Unreachable> for BarcodeError {
    fn from(_: Unreachable) -> BarcodeError {
        BarcodeError::Unreachable
    }
}

/// Assign a seat
#[step(compensate = free_seat(passenger))]
pub async fn assign_seat(airline: Resource<Airline>, passenger: &Passenger) -> Result<String, SeatError> {
    airline.assign_seat(&passenger.booking).ok_or(SeatError::Full)
}

/// Free the seat
#[step(retriable)]
pub async fn free_seat(airline: Resource<Airline>, passenger: &Passenger) {
    airline.free_seat(&passenger.booking);
}

/// Create the barcode
///
/// Patient: the service may be down for hours, and the passenger has been told that the pass comes by mail.
#[step(
    read_only,
    retry(attempts = 500, initial = "200ms", factor = 2.0, max = "1m"),
    timeout = "10s",
    participant = "Barcode service"
)]
pub async fn create_barcode(
    airline: Resource<Airline>,
    passenger: &Passenger,
    seat: &str,
) -> Result<String, BarcodeError> {
    airline.barcode(&passenger.booking, seat).await?.ok_or(BarcodeError::UnknownBooking)
}

/// Mail the boarding pass
#[step(retriable, participant = "Passenger")]
pub async fn mail_pass(airline: Resource<Airline>, cx: StepContext, email: &str, pass: &BoardingPass) {
    airline.mail(cx.idempotency_key(), email, &format!("{}: {}", pass.seat, pass.barcode));
}

/// Check in
#[workflow(owner = "passenger-services", deadline = "1d")]
pub async fn check_in(passenger: Passenger) -> Result<BoardingPass, CheckInError> {
    let seat = assign_seat(&passenger).await?;
    let barcode = create_barcode(&passenger, &seat).await?;
    let pass = BoardingPass { booking: passenger.booking, seat, barcode };
    mail_pass(&passenger.email, &pass).await;
    /// Passenger checked in
    Ok(pass)
}
