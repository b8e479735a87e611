//! A subscription: charged every month for as long as the customer likes, in a journal that stays short.
//! It knows the outside world only through its steps and messages.

use workflow_runtime::prelude::*;

use crate::billing::Billing;

/// What is paid every month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Who pays.
    pub customer: String,
    /// How much, in cents.
    pub cents: u32,
}

/// The customer has had enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = customer, participant = "Customer")]
pub struct Unsubscribe {
    /// Who.
    pub customer: String,
}

/// The customer sends another card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = customer, participant = "Customer")]
pub struct NewCard {
    /// Who.
    pub customer: String,
    /// The number of the card.
    pub number: String,
}

/// How far a subscription is, for whoever asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// How many months have been paid.
    pub months_paid: u32,
}

/// How a subscription ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Farewell {
    /// How many months were paid.
    pub months_paid: u32,
}

/// Why a month is not paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BillingError {
    /// Card declined
    #[error("the card was declined")]
    Declined,
    /// No answer
    #[error("the gateway does not answer")]
    #[step_error(transient)]
    Unavailable,
}

/// Why a subscription is ended by us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum SubscriptionError {
    /// Not paid
    #[error("not paid: {0}")]
    NotPaid(#[from] BillingError),
    /// No new card
    #[error("no other card came within two weeks")]
    NoNewCard(#[from] TimedOut),
}

/// Charge the month
#[step(compensate = refund_month(plan, month), timeout = "30s", participant = "Payment gateway")]
pub async fn charge_month(
    billing: Resource<Billing>,
    cx: StepContext,
    plan: &Plan,
    month: u32,
    card: Option<String>,
) -> Result<(), BillingError> {
    if billing.charge(cx.idempotency_key(), &plan.customer, month, plan.cents, card.as_deref()) {
        Ok(())
    } else {
        Err(BillingError::Declined)
    }
}

/// Refund the month
#[step(retriable, participant = "Payment gateway")]
pub async fn refund_month(billing: Resource<Billing>, plan: &Plan, month: u32) {
    billing.refund(&plan.customer, month);
}

/// Say goodbye
#[step(retriable, participant = "Customer")]
pub async fn say_goodbye(billing: Resource<Billing>, plan: &Plan) {
    billing.write(&plan.customer, "goodbye");
}

/// Charge a month, with a second card if need be
#[subflow]
async fn pay_month(plan: &Plan, month: u32) -> Result<(), SubscriptionError> {
    match charge_month(plan, month, None).await {
        Ok(()) => Ok(()),
        /// Ask for another card
        Err(BillingError::Declined) => {
            let card = receive::<NewCard>(&plan.customer).within(days(14)).await?;
            Ok(charge_month(plan, month, Some(card.number)).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Keep a subscription
///
/// A month that is paid stays paid: `continue_as_new` ends what could still be undone, and keeps the journal short.
#[workflow(owner = "billing")]
pub async fn subscription(plan: Plan, months_paid: u32) -> Result<Farewell, SubscriptionError> {
    pay_month(&plan, months_paid + 1).await?;
    let months_paid = months_paid + 1;
    progress(&Standing { months_paid }).await;
    /// Customer unsubscribes
    match receive::<Unsubscribe>(&plan.customer).within(days(30)).await {
        Ok(_) => {
            say_goodbye(&plan).await;
            /// Subscription ended
            Ok(Farewell { months_paid })
        }
        Err(TimedOut) => continue_as_new(subscription(plan, months_paid)).await,
    }
}
