//! Starts programs, shows their output while it comes, and says how they ended.
//! Knows processes; must not know what they are for.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::outcome::{Tally, TestRun};

/// Runs a command to its end; its output goes straight through.
///
/// # Errors
/// When it cannot be started or does not end with success; the text holds the command, to be repeated.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| cannot_start(command))?;
    ensure!(status.success(), "`{}` ended with {status}", line(command));
    Ok(())
}

/// Runs a command that runs tests, and counts them from its output, which goes through all the same.
///
/// # Errors
/// When it cannot be started or its output cannot be read. A command that fails is told in the run.
pub(crate) fn run_tests(command: &mut Command) -> Result<TestRun> {
    announce(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    let output = child.stdout.take().expect("the output was piped one line above");
    let tally = pass_through(BufReader::new(output), io::stdout()).with_context(|| cannot_read(command))?;
    let status = child.wait().with_context(|| cannot_read(command))?;
    let complaint = (!status.success()).then(|| format!("`{}` ended with {status}", line(command)));
    Ok(TestRun { tally, complaint })
}

/// Whether the program is there: it starts and ends with success, whatever it says.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a short command prints, without white space around it.
///
/// # Errors
/// When it cannot be started or does not end with success.
pub(crate) fn text_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| cannot_start(command))?;
    ensure!(output.status.success(), "`{}` ended with {}", line(command), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn pass_through(mut output: impl BufRead, mut screen: impl Write) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        screen.write_all(&bytes)?;
        // Tests may print bytes that are not UTF-8; the result lines never do.
        if let Some(counts) = Tally::of_libtest_line(&String::from_utf8_lossy(&bytes)) {
            tally += counts;
        }
        bytes.clear();
    }
    screen.flush()?;
    Ok(tally)
}

fn announce(command: &Command) {
    println!("    $ {}", line(command));
}

/// The command as a person would type it; long lists of files are cut.
fn line(command: &Command) -> String {
    const SHOWN_WORDS: usize = 12;
    let program = command.get_program().to_string_lossy();
    let mut words = vec![program.rsplit('/').next().unwrap_or(&program).to_owned()];
    words.extend(command.get_args().take(SHOWN_WORDS).map(|word| word.to_string_lossy().into_owned()));
    if command.get_args().len() > SHOWN_WORDS {
        words.push(format!(".. ({} more)", command.get_args().len() - SHOWN_WORDS));
    }
    words.join(" ")
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", line(command))
}

fn cannot_read(command: &Command) -> String {
    format!("cannot read what `{}` says", line(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_that_fails_is_named_in_the_error() {
        let error = run(&mut shell("exit 3")).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` ended with exit status: 3");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_does_not_answer() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.to_string().starts_with("cannot start `no-such-program`"), "{error}");
        assert!(!answers(&mut Command::new("no-such-program")));
        assert!(answers(&mut shell("true")));
    }

    #[test]
    fn the_tests_of_all_programs_are_added_up() {
        let result = |passed, failed| {
            format!("test result: ok. {passed} passed; {failed} failed; 0 ignored; 0 measured")
        };
        let output = format!("running\n{}\nother \u{fffd}\n{}", result(3, 0), result(4, 1));
        // Not the real screen: a run of these tests is counted itself.
        let mut screen = Vec::new();
        let tally = pass_through(output.as_bytes(), &mut screen).unwrap();
        assert_eq!(tally, Tally { passed: 7, failed: 1, ignored: 0 });
        assert_eq!(screen, output.as_bytes());
    }

    #[test]
    fn a_test_program_that_dies_leaves_a_complaint() {
        let run = run_tests(&mut shell("exit 101")).unwrap();
        assert_eq!(run.tally, Tally::default());
        assert_eq!(run.complaint.as_deref(), Some("`sh -c exit 101` ended with exit status: 101"));
    }

    #[test]
    fn a_long_command_is_cut() {
        let mut command = Command::new("/usr/bin/judge");
        command.args((0..14).map(|number| number.to_string()));
        assert_eq!(line(&command), "judge 0 1 2 3 4 5 6 7 8 9 10 11 .. (2 more)");
    }
}
