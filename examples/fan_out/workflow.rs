//! Fan-out: a whole catalogue is priced, each article on its own, a few at a time; and each by several suppliers.
//! It knows the outside world only through its steps.

use workflow_runtime::prelude::*;

use crate::market::Market;

/// What is to be bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// The article.
    pub sku: String,
    /// How many.
    pub count: u32,
}

/// What a supplier asks for an article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The article.
    pub sku: String,
    /// The supplier.
    pub supplier: String,
    /// For all of them, in cents.
    pub cents: u32,
}

/// What the whole catalogue costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    /// The best offer for each article, in the order of the catalogue.
    pub offers: Vec<Offer>,
    /// All of them, in cents.
    pub cents: u32,
}

/// Why nothing is bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PurchaseError {
    /// No offer
    #[error("nobody offers {sku}")]
    NoOffer {
        /// The article.
        sku: String,
    },
    /// Not ordered
    #[error(transparent)]
    NotOrdered(#[from] OrderError),
}

/// What a supplier answers to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum OrderError {
    /// Sold out
    #[error("{supplier} has sold out of {sku}")]
    SoldOut {
        /// The article.
        sku: String,
        /// The supplier.
        supplier: String,
    },
}

/// Ask a supplier
#[step(read_only, timeout = "5s", retry(attempts = 3, initial = "50ms"), participant = "Supplier")]
pub async fn ask(market: Resource<Market>, supplier: &str, article: &Article) -> Option<Offer> {
    market.offer(supplier, &article.sku, article.count).await.map(|cents| Offer {
        sku: article.sku.clone(),
        supplier: supplier.to_owned(),
        cents,
    })
}

/// Order the article
#[step(compensate = cancel_order(offer), participant = "Supplier")]
pub async fn order(market: Resource<Market>, offer: &Offer) -> Result<(), OrderError> {
    if market.order(&offer.supplier, &offer.sku) {
        Ok(())
    } else {
        Err(OrderError::SoldOut { sku: offer.sku.clone(), supplier: offer.supplier.clone() })
    }
}

/// Cancel the order
#[step(retriable, participant = "Supplier")]
pub async fn cancel_order(market: Resource<Market>, offer: &Offer) {
    market.cancel(&offer.supplier, &offer.sku);
}

/// Price an article
///
/// A run of its own: a big catalogue is many small journals and not one big one.
#[workflow]
pub async fn price_article(article: Article) -> Result<Offer, PurchaseError> {
    let (near, far, online) = join!(
        ask("near", &article).label("Ask nearby"),
        ask("far", &article).timeout(seconds(10)).label("Ask far away"),
        ask("online", &article).label("Ask online"),
    );
    let best =
        [near, far, online].into_iter().flatten().min_by_key(|offer| (offer.cents, offer.supplier.clone()));
    /// Does anybody offer it?
    best.ok_or(PurchaseError::NoOffer { sku: article.sku })
}

/// Buy a catalogue
#[workflow(owner = "purchasing")]
pub async fn buy_catalogue(articles: Vec<Article>) -> Result<Purchase, PurchaseError> {
    let offers = try_join_all(articles.into_iter().map(|article| price_article(article))).limit(8).await?;
    try_join_all(offers.iter().map(|offer| order(offer))).limit(4).await?;
    let cents = offers.iter().map(|offer| offer.cents).sum();
    Ok(Purchase { offers, cents })
}
