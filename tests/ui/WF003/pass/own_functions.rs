//! Who has a function of another name for it, or one that is only called like that of the standard library, drops
//! nothing.
use workflow_runtime::prelude::*;

mod books {
    pub fn drop<T>(kept: T) -> T {
        kept
    }

    pub mod mem {
        pub fn forget<T>(kept: T) -> T {
            kept
        }
    }
}

use books::mem as memory;

#[step]
async fn charge(amount: u32) -> u32 {
    amount
}

fn forget<T>(kept: T) -> T {
    kept
}

#[workflow]
async fn pay(amount: u32) -> u32 {
    use books::drop;
    let first = forget(charge(amount).await);
    let second = memory::forget(drop(amount));
    let _ = (forget(amount), [forget(1), 2], if amount > 1 { Vec::new() } else { vec![amount] });
    let (_, _third) = (u32::from_str_radix("7", 8), Vec::<u32>::new());
    let _ = match amount {
        0 => Default::default(),
        amount => amount,
    };
    first + second
}

fn main() {
    let _ = pay(1);
}
