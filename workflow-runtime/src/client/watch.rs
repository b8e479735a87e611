//! What a client hears of runs that do not get on: those that nobody has code for, and those that are held up.
//! It asks; the watchdog of the engine looks.

use super::Client;
use crate::engine::{Orphan, Stalled};
use crate::error::Error;

impl Client {
    /// Unfinished runs that no worker has code for, by workflow and version, as the store knows them now.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// ```
    /// # async fn f(engine: workflow_runtime::Engine) -> Result<(), workflow_runtime::Error> {
    /// for orphan in engine.client().orphans().await? {
    ///     println!("no worker has {} v{}: {} runs", orphan.workflow, orphan.version, orphan.runs);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn orphans(&self) -> Result<Vec<Orphan>, Error> {
        let orphans = self.read(self.parts.store.orphans().await)?;
        Ok(orphans.into_iter().map(Orphan::from).collect())
    }

    /// Runs of this engine that should get on and do not, as its watchdog found them when it last looked:
    /// [`EngineBuilder::watchdog`](crate::EngineBuilder::watchdog).
    pub fn stalled(&self) -> Vec<Stalled> {
        self.parts.findings.stalled()
    }
}
