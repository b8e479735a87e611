//! The server of Restate, which is a process of its own: started, killed and started again.
//! Knows its program and its settings; must not know what is measured.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, peers};

/// A server with an empty store, killed when it is dropped.
pub(crate) struct Restate {
    folder: PathBuf,
    /// Of the server among its kind, for those who start runs, for administration, and for the handlers.
    ports: [u16; 4],
    process: Child,
}

impl Restate {
    /// Starts a server; returns when it answers.
    ///
    /// # Errors
    /// When its program is not installed, or does not answer within a minute.
    pub(crate) fn start(folder: &Path) -> Result<Restate, Failure> {
        // Held together until all are known, or the same port would be free twice.
        let listeners: Vec<TcpListener> =
            (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let mut ports = [0; 4];
        for (port, listener) in ports.iter_mut().zip(&listeners) {
            *port = listener.local_addr()?.port();
        }
        drop(listeners);
        let process = spawn(folder, ports)?;
        let server = Restate { folder: folder.to_owned(), ports, process };
        server.wait_for_answer()?;
        Ok(server)
    }

    pub(crate) fn ingress(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("admin".to_owned(), format!("http://127.0.0.1:{}", self.ports[2])),
            ("port".to_owned(), self.ports[3].to_string()),
        ])
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn crash(&mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    pub(crate) fn come_back(&mut self) -> Result<(), Failure> {
        self.process = spawn(&self.folder, self.ports)?;
        self.wait_for_answer()
    }

    fn wait_for_answer(&self) -> Result<(), Failure> {
        let began = Instant::now();
        let answers = |port: u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        while !(answers(self.ports[1]) && answers(self.ports[2])) {
            if began.elapsed() > Duration::from_secs(60) {
                return Err("the Restate server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Restate {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.crash();
    }
}

fn spawn(folder: &Path, ports: [u16; 4]) -> Result<Child, Failure> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let mut command = Command::new(peers::restate_server()?);
    command
        .arg("--no-logo")
        .env("RESTATE_BASE_DIR", folder.join("data"))
        .env("RESTATE_NODE_NAME", "bench")
        .env("RESTATE_BIND_IP", "127.0.0.1")
        .env("RESTATE_BIND_PORT", ports[0].to_string())
        .env("RESTATE_ADVERTISED_HOST", "127.0.0.1")
        .env("RESTATE_INGRESS__BIND_ADDRESS", format!("127.0.0.1:{}", ports[1]))
        .env("RESTATE_ADMIN__BIND_ADDRESS", format!("127.0.0.1:{}", ports[2]))
        .env("RESTATE_LISTEN_MODE", "tcp")
        .env("RESTATE_DISABLE_TELEMETRY", "true")
        .env("RESTATE_LOG_FILTER", "warn")
        .env("DO_NOT_TRACK", "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command.spawn()?)
}
