//! As whom a server runs: Postgres refuses to run as root.
//! It knows the accounts of a unix system; must not know what they start.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Who a server has to run as; `None` for whoever this process runs as: the owner of a folder that it just made.
    pub(crate) fn for_servers(new_folder: &Path) -> Result<Option<User>> {
        let owner = fs::metadata(new_folder).context("cannot look at the folder of the server")?.uid();
        if owner != 0 {
            return Ok(None);
        }
        let accounts =
            fs::read_to_string("/etc/passwd").context("cannot read the accounts of this machine")?;
        let user = ["postgres", "nobody"].iter().find_map(|name| User::named(name, &accounts));
        user.map(Some)
            .context("Postgres does not run as root, and there is no account `postgres` or `nobody`")
    }

    fn named(wanted: &str, accounts: &str) -> Option<User> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == wanted).then_some(())?;
            Some(User { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        })
    }

    pub(crate) fn give(&self, folder: &Path) -> Result<()> {
        chown(folder, Some(self.uid), Some(self.gid)).context("cannot hand the folder to the server's user")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_by_its_name() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/sh\n";
        let user = User::named("postgres", accounts).unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(User::named("post", accounts).is_none());
    }
}
