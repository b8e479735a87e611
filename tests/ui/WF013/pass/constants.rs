//! Constants, statics that nobody changes, names of the body, and what a person knows better.
use std::sync::LazyLock;
use workflow_runtime::prelude::*;

const LIMIT: u32 = 3;
static NAME: &str = "parcels";
static RATES: [u32; 3] = [1, 2, 3];
static PATTERN: LazyLock<String> = LazyLock::new(|| "a*".to_owned());

mod settings {
    pub const SHARE: f64 = 0.5;
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Currency {
    EUR,
    USD,
}

enum Choice<T> {
    ONE(T),
    NONE,
}

#[step]
async fn pack(_item: u32) -> u32 {
    1
}

#[workflow]
async fn parcels(item: u32, LEGACY: u32) -> u32 {
    use Currency::USD;
    use settings::SHARE;
    const OWN: u32 = 7;
    static INNER: u32 = 8;
    let currency = if item > LIMIT { Currency::EUR } else { USD };
    let choice = if item > OWN { Choice::ONE(item) } else { Choice::NONE };
    let count = match choice {
        Choice::ONE(item) => item,
        Choice::NONE => INNER + LEGACY,
    };
    let rate = RATES[0] + NAME.len() as u32 + u32::MAX / 2;
    let share = (SHARE * f64::from(rate)) as u32;
    let buffer = [0_u8; LIMIT as usize];
    #[allow_workflow(shared_static, reason = "always the same pattern")]
    let pattern = PATTERN.len() as u32;
    pack(count + share + pattern + buffer.len() as u32 + u32::from(currency == USD)).await
}

fn main() {}
