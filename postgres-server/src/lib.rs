//! A Postgres server that is thrown away, for tests, benchmarks and attacks: started on a free port, in a folder of its
//! own, with the durability that Postgres has by default. It knows Postgres's programs, and nothing of workflows.
//!
//! It ends with the process that started it, however that ends: a shell waits for its pipe to close, then stops the
//! server and removes the folder.

mod install;
mod pooler;
mod user;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

pub use install::{REMEDY, programs};
pub use pooler::Pooler;

use crate::user::User;

/// The environment variable with the URL of a server that tests are to use; without it, each process starts one.
pub const VARIABLE: &str = "WORKFLOW_TEST_POSTGRES";

/// A URL of a server that tests of this process share: the one of [`VARIABLE`], or one that is started now and ends
/// with this process. Each test makes a schema or a database of its own in it.
///
/// # Panics
/// When there is none and none can be started, with what to do about it.
pub fn url() -> &'static str {
    static URL: OnceLock<(String, Option<Server>)> = OnceLock::new();
    let (url, _) = URL.get_or_init(|| match env::var(VARIABLE) {
        Ok(url) => (url, None),
        Err(_) => match Server::start() {
            Ok(server) => (server.url().to_owned(), Some(server)),
            Err(error) => panic!("these tests need a Postgres server: {error:#}\n{REMEDY}"),
        },
    });
    url
}

/// A server of one's own, gone when it is dropped or when the process ends.
#[derive(Debug)]
pub struct Server {
    url: String,
    port: u16,
    programs: PathBuf,
    folder: PathBuf,
    user: Option<User>,
    /// Stops the server once its standard input is closed.
    guard: Option<Child>,
}

impl Server {
    /// Makes a cluster and starts its server: a second or two.
    ///
    /// # Errors
    /// When there are no programs of Postgres 15 or later, or they fail.
    pub fn start() -> Result<Server> {
        let programs = programs().context("there is no Postgres 15 or later on this machine")?;
        let folder = own_folder()?;
        let mut server = Server { url: String::new(), port: 0, programs, folder, user: None, guard: None };
        server.user = User::for_servers(&server.folder)?;
        if let Some(user) = &server.user {
            user.give(&server.folder)?;
        }
        server.guard = Some(server.guard_until_the_end()?);
        // `--no-sync` spares the fsync of the new, empty cluster only; the server itself has `fsync` on.
        let data = server.data();
        let mut initdb = server.program("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        run(initdb.arg("--pgdata").arg(&data))?;
        const ATTEMPTS: usize = 5;
        for attempt in 1.. {
            // Between asking and starting, somebody else may take the port.
            server.configure(free_port()?)?;
            match server.start_again() {
                Ok(()) => break,
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => {}
            }
        }
        Ok(server)
    }

    /// `postgres://postgres@127.0.0.1:port/postgres`; the user may do everything.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the cluster (`data`), the log of the server (`log`) and its unix socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills all processes of the server at once, as a crash of it does. What it has acknowledged is on the disk.
    ///
    /// # Errors
    /// When it does not run.
    pub fn crash(&self) -> Result<()> {
        self.control(&["-m", "immediate", "stop"])
    }

    /// Ends all sessions and the server, in order, as a restart for an upgrade does.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&self) -> Result<()> {
        self.control(&["-m", "fast", "stop"])
    }

    /// Starts it again on the same port, after [`Server::crash`] or [`Server::stop`]; returns when it answers.
    ///
    /// # Errors
    /// When it cannot start; the end of its log is in the text.
    pub fn start_again(&self) -> Result<()> {
        self.control(&["start"]).with_context(|| {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(10).collect();
            format!("the server does not start; its log ends with\n{}", reversed(&lines))
        })
    }

    /// Restarts it so that it takes connections with TLS only, with a certificate for the address that it listens on.
    /// Gives the certificate of who has signed that one: an authority that nobody else knows. Needs the program
    /// `openssl` (3 or later).
    ///
    /// # Errors
    /// When there is no `openssl`, or the server does not start with what it has made.
    pub fn require_tls(&self) -> Result<PathBuf> {
        let in_data = |name: &str| self.data().join(name);
        let (authority, its_key) = (in_data("authority.crt"), in_data("authority.key"));
        let certificate = |name: &str| {
            let mut openssl = self.as_its_user("openssl");
            openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"]);
            openssl.arg(format!("/CN={name}"));
            openssl
        };
        run(certificate("an authority").arg("-keyout").arg(&its_key).arg("-out").arg(&authority))?;
        let mut of_server = certificate("localhost");
        of_server.arg("-CA").arg(&authority).arg("-CAkey").arg(its_key);
        of_server.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]);
        run(of_server.arg("-keyout").arg(in_data("server.key")).arg("-out").arg(in_data("server.crt")))?;
        let settings = in_data("postgresql.auto.conf");
        let with_tls = fs::read_to_string(&settings)? + "ssl = on\n";
        fs::write(settings, with_tls).context("cannot configure the server")?;
        let who = "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n";
        fs::write(in_data("pg_hba.conf"), who).context("cannot configure the server")?;
        self.stop()?;
        self.start_again()?;
        Ok(authority)
    }

    /// A program beside the server's (`psql`, `pgbench`, ..), run as the user of the server.
    pub fn program(&self, name: &str) -> Command {
        self.as_its_user(self.programs.join(name))
    }

    /// Any other program, run as the user of the server, in its folder.
    fn as_its_user(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // Its messages are compared and read by people of all languages.
        command.env("LC_ALL", "C").current_dir(&self.folder).stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Gives a new folder to the user of the server.
    fn own(&self, folder: &Path) -> Result<()> {
        self.user.as_ref().map_or(Ok(()), |user| user.give(folder))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log")).args(["-w", "-s"]);
        run(pg_ctl.args(arguments))
    }

    fn configure(&mut self, port: u16) -> Result<()> {
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nmax_connections = 300\n",
            self.folder.display()
        );
        fs::write(self.data().join("postgresql.auto.conf"), settings)
            .context("cannot configure the server")?;
        self.port = port;
        self.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        Ok(())
    }

    /// A shell that outlives this process, whatever kills it, by as long as cleaning up takes.
    fn guard_until_the_end(&self) -> Result<Child> {
        const SCRIPT: &str = "cat > /dev/null; kill $(cat \"$2\"/pooler/*.pid); \
             \"$1/pg_ctl\" -D \"$2/data\" -m immediate -w -s stop; cd /; rm -rf \"$2\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(&self.programs).arg(&self.folder);
        if let Some(user) = &self.user {
            shell.uid(user.uid).gid(user.gid);
        }
        // A group of its own: what a terminal sends to the tests does not reach it.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.current_dir(&self.folder).spawn().context("cannot start `sh`, which stops the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        // Where the temporary folder is not open to everybody, the server's user cannot remove its own from it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn own_folder() -> Result<PathBuf> {
    for number in 0_u32.. {
        let folder = env::temp_dir().join(format!("workflow-postgres-{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => bail!("cannot create the folder {}: {error}", folder.display()),
        }
    }
    bail!("all names of folders are taken")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

fn run(command: &mut Command) -> Result<()> {
    // The server inherits the files of the program that starts it: it must hold no pipe that somebody reads to its end.
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = done.with_context(|| format!("cannot start `{name}`"))?;
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    ensure!(status.success(), "`{name} {}` ended with {status}", arguments.join(" "));
    Ok(())
}

fn reversed(lines: &[&str]) -> String {
    lines.iter().rev().copied().collect::<Vec<_>>().join("\n")
}
