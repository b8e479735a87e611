//! The words on the command line.
//! It reads them and does nothing.

use std::path::PathBuf;
use std::time::Duration;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/order_fulfilment");

const USAGE: &str = "\
usage: order_fulfilment [--orders FILE] [--data FOLDER] [--latency-ms N] [--fresh]
       order_fulfilment diagram [FOLDER]

  --orders FILE    orders to fulfil, one JSON object a line (the file beside the example)
  --data FOLDER    where the engine and the simulated world keep their databases (target/order_fulfilment)
  --latency-ms N   how long a call of the simulated world takes (4)
  --fresh          forget what happened before
  diagram          write order.bpmn and order.svg";

/// What the example is to do.
#[derive(Debug, PartialEq)]
pub enum Options {
    /// Run the orders.
    Run(Run),
    /// Draw the workflow.
    Diagram {
        /// Where to.
        folder: PathBuf,
    },
}

/// How to run the orders.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// The file of orders.
    pub orders: PathBuf,
    /// Where the databases are.
    pub data: PathBuf,
    /// How long a call of the simulated world takes.
    pub latency: Duration,
    /// Whether to begin with nothing.
    pub fresh: bool,
}

impl Options {
    /// Reads the words.
    ///
    /// # Errors
    /// What is wrong, and how it is used.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut words = words.peekable();
        if words.next_if(|word| word == "diagram").is_some() {
            let folder = words.next().map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
            return match words.next() {
                Some(surplus) => Err(format!("do not know what to do with `{surplus}`\n{USAGE}")),
                None => Ok(Options::Diagram { folder }),
            };
        }
        let mut run = Run {
            orders: PathBuf::from(FOLDER).join("orders.jsonl"),
            data: PathBuf::from("target/order_fulfilment"),
            latency: Duration::from_millis(4),
            fresh: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"));
            match word.as_str() {
                "--orders" => run.orders = value()?.into(),
                "--data" => run.data = value()?.into(),
                "--latency-ms" => {
                    let text = value()?;
                    let latency_ms = text.parse().map_err(|_| format!("`{text}` is no number\n{USAGE}"))?;
                    run.latency = Duration::from_millis(latency_ms);
                }
                "--fresh" => run.fresh = true,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                _ => return Err(format!("do not know `{word}`\n{USAGE}")),
            }
        }
        Ok(Options::Run(run))
    }
}
