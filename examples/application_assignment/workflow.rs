//! Assigning an application to an adviser: find, rank, assign, tell the others, have a work order created.
//! It knows the outside world only through its steps and messages.

use workflow_runtime::prelude::*;

use crate::bank::Bank;

/// Somebody applies for a loan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Its number.
    pub id: String,
    /// Where the customer lives.
    pub region: String,
    /// How much, in euros.
    pub euros: u32,
}

/// Who could look after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adviser {
    /// The name.
    pub name: String,
    /// How many applications wait on the desk.
    pub open_cases: u32,
    /// Up to how much, in euros.
    pub limit: u32,
}

/// For all who want to know who looks after an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = application_id)]
pub struct ApplicationAssigned {
    /// The application.
    pub application_id: String,
    /// The adviser.
    pub adviser: String,
}

/// To the work order service: prepare the papers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = application_id, participant = "Work order service")]
pub struct CreateWorkOrder {
    /// The application.
    pub application_id: String,
    /// The adviser.
    pub adviser: String,
}

/// From the work order service: the papers are prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = application_id, participant = "Work order service")]
pub struct WorkOrderCreated {
    /// The application.
    pub application_id: String,
    /// The number of the work order.
    pub work_order: String,
}

/// How an assignment ends well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The adviser.
    pub adviser: String,
    /// The number of the work order.
    pub work_order: String,
}

/// Why nobody is assigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum AssignmentError {
    /// No adviser
    #[error("no adviser may decide on this")]
    NoAdviser,
    /// Directory down
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Desk refused
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// No work order
    #[error("the work order service did not answer in time")]
    NoWorkOrder,
}

/// What the directory of advisers answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum DirectoryError {
    /// No answer
    #[error("the directory does not answer")]
    #[step_error(transient)]
    Unreachable,
}

/// What an adviser's desk answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum DeskError {
    /// Adviser away
    #[error("{adviser} is away")]
    Away {
        /// Who.
        adviser: String,
    },
}

/// Find advisers
#[step(read_only)]
pub async fn find_advisers(bank: Resource<Bank>, region: &str) -> Result<Vec<Adviser>, DirectoryError> {
    Ok(bank.advisers(region))
}

/// Assign to the adviser
#[step(compensate = take_back(application, adviser))]
pub async fn assign(bank: Resource<Bank>, application: &Application, adviser: &str) -> Result<(), DeskError> {
    if bank.assign(&application.id, adviser) {
        Ok(())
    } else {
        Err(DeskError::Away { adviser: adviser.to_owned() })
    }
}

/// Take the application back
#[step(retriable)]
pub async fn take_back(bank: Resource<Bank>, application: &Application, adviser: &str) {
    bank.take_back(&application.id, adviser);
}

/// Cancel the work order, if there is one
///
/// Whether the service has created it nobody knows: it is asked to forget the application, whatever it did.
#[step(retriable)]
pub async fn cancel_work_order(bank: Resource<Bank>, application: &Application) {
    bank.cancel_work_order(&application.id);
}

/// The advisers who may decide on this, the one with the fewest open cases first.
fn rank(mut advisers: Vec<Adviser>, application: &Application) -> Vec<Adviser> {
    advisers.retain(|adviser| adviser.limit >= application.euros);
    advisers.sort_by(|a, b| (a.open_cases, &a.name).cmp(&(b.open_cases, &b.name)));
    advisers
}

/// Have the papers prepared
///
/// A scope of its own: when no answer comes, the work order that may have been created is cancelled before anything
/// else is undone.
#[subflow]
async fn prepare_papers(application: &Application, adviser: &str) -> Result<String, AssignmentError> {
    send(CreateWorkOrder { application_id: application.id.clone(), adviser: adviser.to_owned() }).await;
    /// Papers prepared
    match receive::<WorkOrderCreated>(&application.id).within(hours(4)).await {
        Ok(created) => Ok(created.work_order),
        Err(TimedOut) => {
            cancel_work_order(application).await;
            Err(AssignmentError::NoWorkOrder)
        }
    }
}

/// Assign an application
#[workflow(owner = "lending", on = ApplicationReceived)]
pub async fn assign_application(received: ApplicationReceived) -> Result<Assignment, AssignmentError> {
    let application = received.application;
    let advisers = rank(find_advisers(&application.region).await?, &application);
    /// Adviser found?
    let Some(adviser) = advisers.first().map(|adviser| adviser.name.clone()) else {
        return Err(AssignmentError::NoAdviser);
    };
    assign(&application, &adviser).await?;
    publish(ApplicationAssigned { application_id: application.id.clone(), adviser: adviser.clone() }).await;
    let work_order = prepare_papers(&application, &adviser).await?;
    /// Application assigned
    Ok(Assignment { adviser, work_order })
}

/// An application has come in: it starts a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = id, participant = "Customer")]
pub struct ApplicationReceived {
    /// Its number.
    pub id: String,
    /// The application.
    pub application: Application,
}
