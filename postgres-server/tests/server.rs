//! The server starts, survives a crash, and is gone with the process that started it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use postgres_server::Server;

fn answers(server: &Server) -> bool {
    let query = ["-X", "-q", "-t", "-c", "SELECT 1"];
    server.program("psql").arg(server.url()).args(query).stdout(Stdio::null()).status().unwrap().success()
}

#[test]
fn a_server_answers_after_a_crash_and_goes_when_it_is_dropped() {
    let server = Server::start().unwrap();
    assert!(answers(&server));
    server.crash().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.start_again().unwrap();
    assert!(answers(&server));
    let (port, folder) = (server.port(), server.folder().to_owned());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_server_goes_with_a_process_that_is_killed() {
    // The same program once more, as the process that dies.
    const ROLE: &str = "WORKFLOW_SERVER_OF_A_DYING_PROCESS";
    if std::env::var_os(ROLE).is_some() {
        let server = Server::start().unwrap();
        println!("folder {}", server.folder().display());
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut dying = Command::new(std::env::current_exe().unwrap());
    dying.args(["--exact", "a_server_goes_with_a_process_that_is_killed", "--nocapture"]);
    let mut dying = dying.env(ROLE, "1").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(dying.stdout.take().unwrap()).lines();
    let folder = lines
        .map(Result::unwrap)
        .find_map(|line| line.split_once("folder ").map(|(_, path)| path.to_owned()));
    let folder = folder.unwrap();
    assert!(Path::new(&folder).exists());
    dying.kill().unwrap();
    dying.wait().unwrap();
    let began = Instant::now();
    while Path::new(&folder).exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "the server is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}
