//! The Postgres server that the tests share, and the programs it needs.
//! Knows how to install and start them; must not know what the tests do with the server.

use std::env;

use anyhow::{Result, ensure};
use postgres_server::{REMEDY, Server, VARIABLE};

use crate::process;
use crate::workspace::Workspace;

/// A server for the tests of one run; one that was started for them is gone when this is dropped.
pub(crate) enum TestServer {
    /// Somebody named one in the environment.
    Given(String),
    Started(Box<Server>),
}

impl TestServer {
    pub(crate) fn url(&self) -> &str {
        match self {
            TestServer::Given(url) => url,
            TestServer::Started(server) => server.url(),
        }
    }
}

/// The server that the environment names, or a new one; what it needs is installed where it is missing.
///
/// # Errors
/// When a program is missing and cannot be installed from here, or the server does not start.
pub(crate) fn server(workspace: &Workspace) -> Result<TestServer> {
    let is_missing = |program: &str| !process::answers(workspace.command(program).arg("--version"));
    let mut packages = Vec::new();
    let given = env::var(VARIABLE).ok();
    if given.is_none() && postgres_server::programs().is_none() {
        packages.push("postgresql");
    }
    if is_missing("pgbouncer") && is_missing("/usr/sbin/pgbouncer") {
        packages.push("pgbouncer");
    }
    if !packages.is_empty() {
        let has_apt = process::answers(workspace.command("apt-get").arg("--version"));
        ensure!(has_apt, "{} is missing. {REMEDY} The tests also need pgbouncer", packages.join(" and "));
        let apt = || {
            let mut apt = workspace.command("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            apt
        };
        process::run(apt().args(["update", "-qq"]))?;
        process::run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))?;
    }
    match given {
        Some(url) => Ok(TestServer::Given(url)),
        None => Ok(TestServer::Started(Box::new(Server::start()?))),
    }
}
