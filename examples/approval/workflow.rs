//! Expense approval: somebody decides, or somebody higher up does, or nobody does and the claim is refused.
//! It knows the outside world only through its steps and messages.

use workflow_runtime::prelude::*;

use crate::office::Office;

/// What an employee wants to be paid back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Its number.
    pub id: String,
    /// Who claims.
    pub employee: String,
    /// How much, in cents.
    pub cents: u32,
}

/// Who may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approver {
    /// The employee's manager.
    Manager,
    /// The manager's manager.
    Director,
}

/// Somebody has decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = claim_id, participant = "Approver")]
pub struct Decision {
    /// The claim.
    pub claim_id: String,
    /// Who decided.
    pub by: String,
    /// Yes or no.
    pub approved: bool,
}

/// For all who want to know how claims end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = claim_id, participant = "Employee")]
pub struct ClaimSettled {
    /// The claim.
    pub claim_id: String,
    /// What was paid, in cents.
    pub cents: u32,
}

/// How a claim ends well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payout {
    /// The claim.
    pub claim_id: String,
    /// Who approved it.
    pub approved_by: String,
    /// The bank's reference.
    pub reference: String,
}

/// Why a claim is not paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum ClaimError {
    /// Claim refused
    #[error("refused by {by}")]
    Refused {
        /// Who refused it.
        by: String,
    },
    /// Nobody decided
    #[error("nobody decided in time")]
    Undecided,
    /// Budget exhausted
    #[error(transparent)]
    NoBudget(#[from] BudgetError),
}

/// What the budget answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BudgetError {
    /// Budget exhausted
    #[error("the budget has only {left} cents left")]
    Exhausted {
        /// What is left, in cents.
        left: u32,
    },
}

/// Set budget aside
#[step(compensate = return_budget(claim))]
pub async fn set_budget_aside(office: Resource<Office>, claim: &Claim) -> Result<(), BudgetError> {
    office.set_aside(&claim.id, claim.cents).map_err(|left| BudgetError::Exhausted { left })
}

/// Return budget
#[step(retriable)]
pub async fn return_budget(office: Resource<Office>, claim: &Claim) {
    office.give_back(&claim.id);
}

/// Ask for a decision
#[step(retriable, participant = "Approver")]
pub async fn ask(office: Resource<Office>, claim: &Claim, approver: Approver) {
    office.tell(format!(
        "{approver:?}: please decide on {} ({} cents, {})",
        claim.id, claim.cents, claim.employee
    ));
}

/// Pay out
#[step(pivot, participant = "Bank")]
pub async fn pay_out(office: Resource<Office>, cx: StepContext, claim: &Claim) -> String {
    office.pay(cx.idempotency_key(), &claim.id)
}

/// Approve an expense claim
///
/// The manager has two days, then the director has three. Who does not answer has not approved.
#[workflow(owner = "finance")]
pub async fn approve_claim(claim: Claim) -> Result<Payout, ClaimError> {
    set_budget_aside(&claim).await?;
    #[allow_workflow(kept_effect, reason = "a question that came to nothing harms nobody")]
    ask(&claim, Approver::Manager).await;
    /// Manager decides
    let decision = match receive::<Decision>(&claim.id).within(days(2)).await {
        Ok(decision) => decision,
        /// Ask the director instead
        Err(TimedOut) => {
            #[allow_workflow(kept_effect, reason = "a question that came to nothing harms nobody")]
            ask(&claim, Approver::Director).await;
            /// Director decides
            match receive::<Decision>(&claim.id).within(days(3)).await {
                Ok(decision) => decision,
                Err(TimedOut) => return Err(ClaimError::Undecided),
            }
        }
    };
    /// Claim refused?
    if !decision.approved {
        return Err(ClaimError::Refused { by: decision.by });
    }
    let reference = pay_out(&claim).await;
    publish(ClaimSettled { claim_id: claim.id.clone(), cents: claim.cents }).await;
    /// Claim paid
    Ok(Payout { claim_id: claim.id, approved_by: decision.by, reference })
}
