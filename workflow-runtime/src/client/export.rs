//! Hands runs out as JSON lines.
//! What a line holds is said in `export`.

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::Client;
use crate::error::{Error, ErrorKind};
use crate::export::ExportedRun;
use crate::store::RunFilter;

/// How many runs are listed at once.
const PAGE: u32 = 100;

impl Client {
    /// Writes the runs that the filter lets through, in the order of their ids, one [`ExportedRun`] per line. Gives how
    /// many. One run after the other is in memory; each is read as it is at that moment.
    ///
    /// # Errors
    /// When the store or the writer fails; then the last line may be cut off.
    ///
    /// ```
    /// # use workflow_runtime::RunFilter;
    /// # async fn f(engine: workflow_runtime::Engine) -> Result<(), workflow_runtime::Error> {
    /// let all = RunFilter { limit: u32::MAX, ..RunFilter::default() };
    /// let mut lines = Vec::new();
    /// let runs = engine.client().export(&all, &mut lines).await?;
    /// # Ok(()) }
    /// ```
    pub async fn export<W>(&self, filter: &RunFilter, writer: &mut W) -> Result<u64, Error>
    where
        W: AsyncWrite + Unpin + ?Sized,
    {
        let (mut left, mut exported) = (filter.limit, 0);
        let mut page_filter = filter.clone();
        while left > 0 {
            page_filter.limit = left.min(PAGE);
            let page = self.runs(&page_filter).await?;
            let Some(last) = page.last() else { break };
            page_filter.after = Some(last.run_id.to_string());
            let read = u32::try_from(page.len()).expect("a page is small");
            for summary in &page {
                let run = self.read(ExportedRun::read(&*self.parts.store, &summary.run_id).await)?;
                // One that was removed meanwhile is no longer there.
                let Some(run) = run else { continue };
                let line = run.to_json_line();
                writer.write_all(line.as_bytes()).await.map_err(ErrorKind::Export)?;
                exported += 1;
            }
            if read < page_filter.limit {
                break;
            }
            left -= read;
        }
        writer.flush().await.map_err(ErrorKind::Export)?;
        Ok(exported)
    }
}
