//! One workflow for each construct: the text and the picture beside each other are what `docs/bpmn.md` shows.
//! They are as small as they can be, and compile under all checks.

use std::time::SystemTime;

use workflow_runtime::prelude::*;

use super::shop::*;

/// Answer for an order
#[workflow]
pub async fn steps(order: String) -> Result<String, Trouble> {
    let goods = find_goods(&order).await?;
    write_to_customer(&order).await;
    /// Customer informed
    Ok(goods)
}

/// Sell and ship
#[workflow]
pub async fn undo(order: String) -> Result<String, Trouble> {
    reserve_goods(&order).await?;
    charge_card(&order).await?;
    let parcel = book_courier(&order).await?;
    /// Order shipped
    Ok(parcel)
}

/// Check a claim
#[workflow]
pub async fn people(claim: String) -> bool {
    let risk = rate_risk(&claim).await;
    /// Small risk?
    if risk < 3 {
        return true;
    }
    check_photographs(&claim).await
}

/// Fill an order
#[workflow]
pub async fn question(order: String, wanted: u32) {
    let stock = count_stock(&order).await;
    if stock < wanted {
        order_from_supplier(&order).await;
    }
    pack_goods(&order).await;
}

/// Who orders.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Customer {
    /// Nobody we know.
    New,
    /// Somebody who has ordered before.
    Regular,
    /// One of us.
    Staff,
}

/// Thank a customer
#[workflow]
pub async fn answers(order: String, customer: Customer) {
    /// Who orders?
    match customer {
        Customer::New => write_to_customer(&order).await,
        Customer::Regular => print_invoice(&order).await,
        Customer::Staff => {}
    }
    send_parcel(&order).await;
}

/// Send all parcels
#[workflow]
pub async fn rounds(order: String) {
    let mut parcels = count_stock(&order).await;
    /// Parcels left?
    while parcels > 0 {
        send_parcel(&order).await;
        sleep(hours(1)).await;
        parcels -= 1;
    }
    write_to_customer(&order).await;
}

/// Send one parcel for each article
#[workflow]
pub async fn articles(orders: Vec<String>) {
    for order in orders {
        pack_goods(&order).await;
    }
}

/// Take the money
#[workflow]
pub async fn errors(order: String) -> Result<(), Trouble> {
    match charge_card(&order).await {
        Ok(_) => {}
        /// Wait for another card
        Err(PaymentError::Expired) => {
            receive::<NewCard>(&order).within(days(7)).await?;
            charge_card(&order).await?;
        }
        Err(error) => return Err(error.into()),
    }
    book_courier(&order).await?;
    Ok(())
}

/// Ship when it is due
#[workflow]
pub async fn timers(order: String, due: SystemTime) {
    sleep_until(due).await;
    send_parcel(&order).await;
    sleep(days(14)).await;
    /// Ask how it was
    write_to_customer(&order).await;
}

/// Ship an order
#[workflow(on = OrderPlaced)]
pub async fn messages(placed: OrderPlaced) {
    send(FetchParcel { order: placed.order.clone() }).await;
    /// Wait for the courier
    let fetched = receive::<OrderShipped>(&placed.order).within(days(2)).await;
    /// Fetched in time?
    if fetched.is_ok() {
        publish(OrderShipped { order: placed.order }).await;
    }
}

/// Ask for a card
#[workflow]
pub async fn deadline(order: String) -> Result<(), Trouble> {
    /// Card received
    match receive::<NewCard>(&order).within(days(7)).await {
        Ok(card) => write_to_customer(&card.order).await,
        Err(TimedOut) => return Err(Trouble::Refused),
    }
    Ok(())
}

/// Write the morning report
#[workflow(cron = "0 6 * * 1-5", timezone = "Europe/Berlin")]
pub async fn schedule() {
    write_to_customer("all").await;
}

/// Wait for the customer
#[workflow]
pub async fn first_event(order: String) -> Result<(), Trouble> {
    select! {
        card = receive::<NewCard>(&order).forever() => write_to_customer(&card.order).await,
        _ = receive::<OrderCancelled>(&order).forever() => return Err(Trouble::Refused),
        _ = sleep(days(14)) => return Err(Trouble::Late(TimedOut)),
    }
    Ok(())
}

/// Find out fast
#[workflow]
pub async fn first_of(order: String) -> u32 {
    select! {
        near = ask_price(&order).label("Ask the courier nearby") => near,
        far = ask_price("far").label("Ask the other courier") => far,
        _ = sleep(minutes(5)) => 0,
    }
}

/// Get an order ready
#[workflow]
pub async fn side_by_side(order: String) {
    join!(pack_goods(&order), print_invoice(&order));
    send_parcel(&order).await;
}

/// Reserve and charge at once
#[workflow]
pub async fn all_of(order: String) -> Result<(), Trouble> {
    try_join!(
        async {
            reserve_goods(&order).await?;
            Ok::<_, Trouble>(())
        },
        async {
            charge_card(&order).await?;
            Ok::<_, Trouble>(())
        },
    )?;
    book_courier(&order).await?;
    Ok(())
}

/// Reserve everything
#[workflow]
pub async fn for_each(orders: Vec<String>) -> Result<(), Trouble> {
    try_join_all(orders.iter().map(|order| reserve_goods(order))).limit(4).await?;
    book_courier("all of them").await?;
    Ok(())
}

/// Take the goods and the money
#[subflow]
async fn take_order(order: &str) -> Result<(), Trouble> {
    reserve_goods(order).await?;
    charge_card(order).await?;
    Ok(())
}

/// Sell, or put on the list
#[workflow]
pub async fn scope(order: String) -> Result<(), Trouble> {
    match take_order(&order).await {
        Ok(()) => {}
        /// Try again in a week
        Err(Trouble::Stock(_)) => {
            sleep(days(7)).await;
            take_order(&order).await?;
        }
        Err(error) => return Err(error),
    }
    book_courier(&order).await?;
    Ok(())
}

/// Take it, or have it sent
#[workflow]
pub async fn kept(order: String) {
    let taken = take_order(&order).await;
    /// Anything missing?
    if taken.is_err() {
        order_from_supplier(&order).await;
    }
    write_to_customer(&order).await;
}

/// Prepare a parcel
#[subflow]
async fn prepare(order: &str) {
    let stock = count_stock(order).await;
    if stock == 0 {
        order_from_supplier(order).await;
        sleep(days(2)).await;
    }
    pack_goods(order).await;
    print_invoice(order).await;
    /// Fragile?
    if stock > 100 {
        /// Wrap it once more
        pack_goods(order).await;
    }
    write_to_customer(order).await;
}

/// Ship a parcel
#[workflow]
pub async fn large_scope(order: String) {
    prepare(&order).await;
    send_parcel(&order).await;
}

/// Ask how it was
#[workflow]
pub async fn survey(order: String) -> bool {
    sleep(days(14)).await;
    !order.is_empty()
}

/// Sell in the shop
#[workflow]
pub async fn children(order: String) -> Result<(), Trouble> {
    undo(order.clone()).await?;
    survey(order).detached().await;
    Ok(())
}

/// Sell, or apologise
#[workflow]
pub async fn undo_and_go_on(order: String) -> Result<(), Trouble> {
    reserve_goods(&order).await?;
    /// Sold out meanwhile?
    if count_stock(&order).await == 0 {
        compensate().await;
        write_to_customer(&order).await;
        /// Customer informed
        return Ok(());
    }
    book_courier(&order).await?;
    Ok(())
}

/// Keep a customer warm
#[workflow]
pub async fn changed(order: String, round: u32) {
    if patched("print-it").await {
        print_invoice(&order).await;
    } else {
        write_to_customer(&order).await;
    }
    sleep(days(30)).await;
    if round < 12 {
        continue_as_new(changed(order, round + 1)).await
    }
}

/// Ship from the shop
#[workflow(name = "ship")]
pub async fn ship(order: String) {
    count_stock(&order).await;
    pack_goods(&order).await;
    send_parcel(&order).await;
}

/// Ship from the shop
#[workflow(name = "ship", version = 2)]
pub async fn ship_2(order: String) {
    print_invoice(&order).await;
    /// Pack goods and invoice
    pack_goods(&order).await;
    send_parcel(&order).await;
}
