//! pgbouncer in front of a server, giving each transaction another session.
//! It knows the program and its settings, and nothing of what is said through it.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{Server, free_port};

/// A pgbouncer of one's own; gone when it is dropped, and with its server.
#[derive(Debug)]
pub struct Pooler {
    url: String,
    process: Child,
}

impl Pooler {
    /// Starts one that hands out so many sessions of the server, one transaction at a time.
    ///
    /// # Errors
    /// When pgbouncer is not installed or does not answer.
    pub fn start(server: &Server, sessions: usize) -> Result<Pooler> {
        let (port, folder) = (free_port()?, server.folder().join("pooler"));
        fs::create_dir_all(&folder).context("cannot create a folder for pgbouncer")?;
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = {sessions}\n\
             max_client_conn = 500\nunix_socket_dir =\nlogfile = {folder}/log\npidfile = {folder}/pooler.pid\n",
            server.port(),
            folder = folder.display(),
        );
        fs::write(folder.join("settings"), settings).context("cannot configure pgbouncer")?;
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").context("cannot configure pgbouncer")?;
        server.own(&folder)?;
        let mut program = server.as_its_user("pgbouncer");
        program.arg(folder.join("settings")).stdout(Stdio::null()).stderr(Stdio::null());
        let search = std::env::var_os("PATH").unwrap_or_default();
        let mut search: Vec<_> = std::env::split_paths(&search).collect();
        // Debian puts it where only root looks.
        search.push("/usr/sbin".into());
        program.env("PATH", std::env::join_paths(search)?);
        let process = program
            .spawn()
            .context("these tests need pgbouncer: install it, on Debian with `apt-get install pgbouncer`")?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let pooler = Pooler { url, process };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            ensure!(began.elapsed() < Duration::from_secs(20), "pgbouncer does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(pooler)
    }

    /// As the URL of the server, but through the pooler.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
