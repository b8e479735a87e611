//! Where a contestant keeps its runs during one measurement: a fresh file, a fresh database, a fresh server.
//! Knows how stores are made and how large they are; must not know what is measured.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postgres_server::Server;
use tempfile::TempDir;

use crate::Failure;
use crate::contestants::StoreKind;
use crate::restate::Restate;

/// Makes stores; servers are started when they are first needed and shared by all measurements.
pub(crate) struct Places {
    folder: PathBuf,
    postgres: OnceCell<Server>,
}

/// A fresh store, gone when it is dropped.
pub(crate) struct Place<'a> {
    folder: TempDir,
    kind: Kind<'a>,
}

enum Kind<'a> {
    File,
    Database(Database<'a>),
    Server(Restate),
}

impl Places {
    /// Stores that lie below this folder, but for those of a database server.
    pub(crate) fn below(folder: &Path) -> Places {
        Places { folder: folder.to_owned(), postgres: OnceCell::new() }
    }

    /// A store that nobody has used.
    ///
    /// # Errors
    /// When the folder cannot be written to, or a server does not start.
    pub(crate) fn fresh(&self, store: StoreKind) -> Result<Place<'_>, Failure> {
        std::fs::create_dir_all(&self.folder)?;
        let folder = tempfile::Builder::new().prefix("store-").tempdir_in(&self.folder)?;
        let kind = match store {
            StoreKind::Sqlite => Kind::File,
            StoreKind::Postgres => Kind::Database(Database::create(self.server()?)?),
            StoreKind::Restate => Kind::Server(Restate::start(folder.path())?),
        };
        Ok(Place { folder, kind })
    }

    fn server(&self) -> Result<&Server, Failure> {
        if let Some(server) = self.postgres.get() {
            return Ok(server);
        }
        let server = Server::start().map_err(|error| format!("{error:#}\n{}", postgres_server::REMEDY))?;
        Ok(self.postgres.get_or_init(|| server))
    }
}

impl Place<'_> {
    /// What a contestant opens.
    pub(crate) fn address(&self) -> String {
        match &self.kind {
            Kind::File => self.file().to_string_lossy().into_owned(),
            Kind::Database(database) => database.url.clone(),
            Kind::Server(server) => server.ingress(),
        }
    }

    /// What else a contestant has to know.
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        match &self.kind {
            Kind::Server(server) => server.settings(),
            Kind::File | Kind::Database(_) => BTreeMap::new(),
        }
    }

    /// Where the steps write down that they ran.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// The process that works for the contestant, if it is known.
    pub(crate) fn service(&self) -> Option<u32> {
        match &self.kind {
            Kind::File => None,
            Kind::Database(database) => database.service(),
            Kind::Server(server) => Some(server.process()),
        }
    }

    /// To be called when the contestant was killed: a server that is part of it dies with it, a database does not.
    pub(crate) fn crash(&mut self) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::File | Kind::Database(_) => Ok(()),
            Kind::Server(server) => server.crash(),
        }
    }

    /// To be called when the contestant comes back, which takes as long as this does, too.
    pub(crate) fn come_back(&mut self) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::File | Kind::Database(_) => Ok(()),
            Kind::Server(server) => server.come_back(),
        }
    }

    /// How much of the disk the store takes, without logs that are written anew.
    pub(crate) fn disk_bytes(&self) -> Result<Option<u64>, Failure> {
        match &self.kind {
            Kind::File => {
                let connection = rusqlite::Connection::open(self.file())?;
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
                drop(connection);
                Ok(Some(std::fs::metadata(self.file())?.len()))
            }
            Kind::Database(database) => database.bytes().map(Some),
            // It keeps runs in its log and in tables that it merges when it likes.
            Kind::Server(_) => Ok(None),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }
}

/// A database of one measurement. Others that a contestant makes beside it begin with its name.
struct Database<'a> {
    server: &'a Server,
    url: String,
}

const NAME: &str = "bench";

impl Database<'_> {
    fn create(server: &Server) -> Result<Database<'_>, Failure> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{NAME}", server.port());
        let database = Database { server, url };
        database.drop_all()?;
        database.ask(&format!("CREATE DATABASE {NAME}"))?;
        // Else one may fall into the measurement.
        database.ask("CHECKPOINT")?;
        Ok(database)
    }

    fn drop_all(&self) -> Result<(), Failure> {
        let names = self.ask(&format!("SELECT datname FROM pg_database WHERE datname LIKE '{NAME}%'"))?;
        for name in names.lines() {
            self.ask(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"))?;
        }
        Ok(())
    }

    fn bytes(&self) -> Result<u64, Failure> {
        let sum = "SELECT sum(pg_database_size(datname)) FROM pg_database WHERE datname LIKE";
        let empty = "SELECT pg_database_size('template0')";
        let sum: u64 = self.ask(&format!("{sum} '{NAME}%'"))?.trim().parse()?;
        let empty: u64 = self.ask(empty)?.trim().parse()?;
        Ok(sum.saturating_sub(empty))
    }

    fn service(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.server.folder().join("data/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    fn ask(&self, sql: &str) -> Result<String, Failure> {
        let mut psql = self.server.program("psql");
        let output = psql.args(["-AtXq", "-v", "ON_ERROR_STOP=1", self.server.url(), "-c", sql]).output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)).into())
        }
    }
}
