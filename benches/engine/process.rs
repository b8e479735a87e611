//! Starts one measurement as a process of its own and reads what it measured.
//! Knows processes and the line `RESULT {..}`; must not know what is measured.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use bench_kit::Values;

use crate::Failure;

/// How long a measurement may take: the slowest one that has ever succeeded took a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process that has ended.
pub(crate) struct Ended {
    /// What it measured, with `process_seconds`: from its start to its answer.
    pub(crate) values: Option<Values>,
    status: ExitStatus,
    complaint: String,
}

impl Ended {
    /// What it measured.
    ///
    /// # Errors
    /// When it did not say, with what it said instead.
    pub(crate) fn measured(self) -> Result<Values, Failure> {
        self.values.ok_or_else(|| {
            let complaint = self.complaint.trim();
            let tail = complaint.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
            format!("no answer, {}: {}", self.status, &complaint[tail..]).into()
        })
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or does not end in time.
pub(crate) fn run(command: &mut Command) -> Result<Ended, Failure> {
    let began = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(
            |error| format!("cannot start `{}`: {error}", command.get_program().to_string_lossy()),
        )?;
    let output = child.stdout.take().ok_or("the output was piped")?;
    let mut errors = child.stderr.take().ok_or("the errors were piped")?;
    let (sender, answers) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(values) = line.strip_prefix("RESULT ") {
                let _ = sender.send((began.elapsed(), values.to_owned()));
            }
        }
    });
    let complaints = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = errors.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let answer = match answers.recv_timeout(PATIENCE) {
        Ok(answer) => Some(answer),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => {
            end(&mut child)?;
            return Err(format!("no answer after {} s", PATIENCE.as_secs()).into());
        }
    };
    let status = child.wait()?;
    reader.join().map_err(|_| "the reader panicked")?;
    let complaint = complaints.join().map_err(|_| "the reader panicked")?;
    let mut values: Option<Values> =
        answer.as_ref().map(|(_, json)| serde_json::from_str(json)).transpose()?;
    if let (Some(values), Some((took, _))) = (&mut values, answer) {
        values.insert("process_seconds".to_owned(), took.as_secs_f64());
    }
    Ok(Ended { values, status, complaint })
}

fn end(child: &mut Child) -> std::io::Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}
