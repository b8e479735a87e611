//! Control flow with an engine and a database: a run that goes on after each restart in the middle of its loops.

use workflow_runtime::prelude::*;

use super::steps::{Trouble, check, count, find};

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = asked)]
pub struct Said {
    asked: u32,
    said: u32,
}

#[workflow]
pub async fn asks_for_numbers(asked: u32) -> Result<Vec<u32>, Trouble> {
    let mut seen = Vec::new();
    'asking: loop {
        let said = 'answer: {
            if asked == 7 && seen.is_empty() {
                break 'answer 7;
            }
            receive::<Said>(asked).forever().await.said
        };
        #[allow_workflow(swallowed_error, reason = "whatever it is, the numbers so far are given")]
        match check(said).await {
            Err(Trouble::Code(404)) => seen.push(count(1_404).await),
            Err(Trouble::Code(_)) => continue 'asking,
            Err(error) if seen.len() > 5 => return Err(error),
            Err(_) => break 'asking,
            Ok(number) if number > 5 => seen.push(find(number).await.unwrap_or(0)),
            Ok(number) => seen.push(number),
        }
    }
    Ok(seen)
}

#[tokio::test]
async fn a_run_goes_on_in_the_middle_of_its_loops_after_each_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    for (at, said) in [(0, 2), (1, 3), (2, 2), (3, 4)] {
        let store = Sqlite::open(&path).await.unwrap();
        let engine = Engine::builder().store(store).register(asks_for_numbers).start().await.unwrap();
        let run = engine.start(asks_for_numbers(7)).id("run-1").await.unwrap();
        let message = Said { asked: 7, said };
        engine.client().deliver(message).message_id(format!("said-{at}")).await.unwrap();
        if said == 4 {
            assert_eq!(run.result().await.unwrap(), [0, 2, 1_404, 2]);
        }
        engine.shutdown().await;
    }
}
