//! The text that all questions are about: a small shop with steps, a subflow and workflows.
//! Text only; what is asked about it stands beside the questions.

/// What comes before every workflow.
pub(crate) const HEAD: &str = r#"
use workflow_runtime::prelude::*;

/// Why nothing is sold.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum SaleError {
    #[error("the card was declined")]
    Declined,
    #[error("the card has expired")]
    CardExpired,
    #[error("{grams} g are too much")]
    TooHeavy { grams: u64 },
}

/// What somebody wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// How it is called.
    pub id: String,
    pub cents: u64,
    pub lines: Vec<Line>,
}

impl Order {
    pub fn is_large(&self) -> bool {
        self.cents > 1000
    }
}

/// One article, and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    pub article: String,
    pub pieces: u64,
}

/// What the bank took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    pub number: u64,
    pub bank: String,
}

/// Charge card
#[step(compensate = refund_card(output))]
pub async fn charge_card(order: &Order) -> Result<Charge, SaleError> {
    Ok(Charge { number: order.cents, bank: order.id.clone() })
}

/// Refund card
#[step(retriable)]
pub async fn refund_card(charge: &Charge) {
    let _ = charge;
}

/// Weigh line
#[step(read_only)]
pub async fn weigh_line(line: &Line, factor: u64) -> Result<u64, SaleError> {
    if line.pieces > 9 { Err(SaleError::TooHeavy { grams: line.pieces }) } else { Ok(line.pieces * factor) }
}

/// Pack line
#[subflow]
pub async fn pack_line(line: &Line) -> Result<u64, SaleError> {
    let grams = weigh_line(line, 2).await?;
    Ok(grams + 1)
}
"#;

/// The shop with a workflow that has a bit of everything, and nothing wrong.
pub(crate) fn finished() -> String {
    sell(
        r#"let taken = charge_card(&order).await?;
    let mut grams = 0;
    for line in &order.lines {
        grams += weigh_line(line, taken.number).await?;
    }
    if express {
        /// Wait for the bank
        sleep(days(1)).await;
    }
    let (packed, weight) = try_join!(pack_line(&order.lines[0]), weigh_line(&order.lines[1], grams))?;
    let number = match charge_card(&order).await {
        Ok(second) => second.number,
        Err(SaleError::CardExpired) => 0,
        Err(error) => return Err(error),
    };
    let first = select! {
        outcome = weigh_line(&order.lines[2], 3) => outcome?,
        _ = sleep(hours(2)) => 0,
    };
    let all = try_join_all(order.lines.iter().map(|line| weigh_line(line, 4))).limit(3).await?;
    Ok(number + packed + weight + first + all.len() as u64)"#,
    )
}

/// The shop with one more workflow, of this body.
pub(crate) fn sell(body: &str) -> String {
    format!(
        "{HEAD}
/// Sell
#[workflow]
pub async fn sell(order: Order, express: bool) -> Result<u64, SaleError> {{
    {body}
}}
"
    )
}

/// The shop with a subflow of this body.
pub(crate) fn deliver(body: &str) -> String {
    format!(
        "{HEAD}
/// Deliver
#[subflow]
pub async fn deliver(order: &Order, express: bool) -> Result<u64, SaleError> {{
    {body}
}}
"
    )
}

/// The shop with a step of this body.
pub(crate) fn shop_with_step(body: &str) -> String {
    format!(
        "{HEAD}
/// Weigh order
#[step(read_only)]
pub async fn weigh_order(order: &Order, express: bool) -> Result<u64, SaleError> {{
    {body}
}}
"
    )
}
