//! What stands in the documentation: from the text of a package to the page that rustdoc writes.
//! How a diagram looks is tested where it is drawn.

use std::path::Path;
use std::process::Command;

use quote::ToTokens;
use workflow_graph::{Graph, NodeKind};

use syn::Item;

use super::super::emit::Kind;
use super::super::{attribute, awaits, check};
use super::neighbours::Neighbours;
use crate::docs;
use crate::errors::Errors;
use crate::signature::RawFn;

const STEPS: &str = r#"
    /// Charge the card
    #[step(compensate = refunds::refund(output), participant = "Bank")]
    pub async fn charge(order: &Order) -> Result<Charge, ChargeError> { Ok(Charge) }

    #[derive(Debug, Clone, StepError)]
    pub enum ChargeError {
        /// The card was declined
        Declined,
    }

    pub mod refunds {
        /// Give the money back
        #[step(retriable, human)]
        pub async fn refund(charge: &Charge) {}
    }
"#;

const HOME: &str = r#"
    use crate::payments::{charge as take_money};
    use warehouse::{self, *};

    /// Check the address
    #[step(rule)]
    fn check(order: &Order) -> bool { true }

    /// Deliver the parcel
    #[subflow]
    async fn deliver(order: &Order) -> Result<(), Trouble> {
        pack(order).await;
        if order.is_far { deliver(order).await?; }
        Ok(())
    }

    /// Ask how it was
    #[workflow(name = "survey")]
    async fn ask_customer(order: Order) {}
"#;

const WAREHOUSE: &str = "/// Pack the goods\n#[step(human)] async fn pack(order: &Order) {}";

/// The graph of a function in the first of these files.
fn drawn(function: &str, files: &[(&str, &str)]) -> Graph {
    let function: RawFn = syn::parse_str(function).unwrap();
    let mut errors = Errors::default();
    let body = awaits::parse_body(&function).unwrap();
    let lowered = check(Kind::Workflow, &function, &body, &mut errors).lowered.unwrap();
    assert_eq!(errors.texts(), [] as [String; 0]);
    super::graph(Graph::named("sell"), &function.sig.output, &lowered, &Neighbours::from_texts(files))
        .unwrap()
}

fn sell() -> Graph {
    let function = r#"async fn sell(order: Order) -> Result<(), Trouble> {
        if !check(&order).await { return Err(Trouble::NoAddress); }
        match take_money(&order).await {
            Ok(charge) => note(&charge).await,
            Err(payments::ChargeError::Declined) => return Err(Trouble::NotPaid),
        }
        deliver(&order).await?;
        ask_customer(order.clone()).detached().await;
        ask_customer(order).await;
        Ok(())
    }"#;
    drawn(function, &[("src/lib.rs", HOME), ("src/payments.rs", STEPS), ("src/warehouse/mod.rs", WAREHOUSE)])
}

#[test]
fn what_leads_to_another_crate_or_a_double_is_not_mistaken_for_a_step_of_the_package() {
    let home = r#"
        use billing::steps::charge;
        use logistics::prelude::*;

        #[cfg(test)]
        mod tests {
            /// Pretend to notify
            #[step]
            async fn notify(order: &Order) {}
        }
    "#;
    let steps = "/// Our own charge\n#[step] pub async fn charge(order: &Order) {}\n\
                 /// Our own parcel\n#[step] pub async fn ship(order: &Order) {}";
    let function = "async fn sell(order: Order) {
        charge(&order).await;
        ship(&order).await;
        notify(&order).await;
        billing::steps::charge(&order).await;
        crate::steps::ship(&order).await;
    }";
    let graph = drawn(function, &[("src/lib.rs", home), ("src/steps.rs", steps)]);
    let title = |id: &str| graph.node(id).unwrap().title();
    assert_eq!([title("charge"), title("ship"), title("notify")], ["Charge", "Ship", "Notify"]);
    assert_eq!([title("charge_2"), title("ship_2")], ["Charge", "Our own parcel"]);
}

#[test]
fn what_is_called_is_found_where_its_name_leads() {
    let graph = sell();
    let title = |id: &str| graph.node(id).unwrap().title();
    assert_eq!(title("check"), "Check the address");
    assert_eq!(title("take_money"), "Charge the card");
    assert_eq!(title("note"), "Note", "what is not found is a step of that name");
    let NodeKind::Step(charge) = &graph.node("take_money").unwrap().kind else { panic!("a step") };
    let undo = charge.compensation.as_ref().unwrap();
    assert_eq!((&*undo.label, undo.task), ("Give the money back", workflow_graph::Task::User));
    assert_eq!((&*charge.errors[0].label, &*charge.participant), ("The card was declined", "Bank"));
    let NodeKind::Subflow(deliver) = &graph.node("deliver").unwrap().kind else { panic!("a subflow") };
    assert_eq!(deliver.graph.get().node("pack").unwrap().title(), "Pack the goods");
    assert!(matches!(&graph.node("ask_customer").unwrap().kind, NodeKind::Child(child) if child.detached));
    assert!(
        matches!(&graph.node("ask_customer_2").unwrap().kind, NodeKind::Child(child) if child.workflow == "survey")
    );
}

#[test]
fn messages_have_their_names_and_errors_their_codes() {
    let home = r#"
        #[derive(Clone, Message)]
        #[message(name = "card.renewed", key = order)]
        struct NewCard { order: String }

        #[derive(StepError)]
        enum Trouble { #[step_error(code = "LATE")] Late(#[from] TimedOut), Refused }
    "#;
    let function = "async fn sell(order: String) -> Result<(), Trouble> {
        try_join!(async { receive::<NewCard>(&order).within(days(1)).await?; Ok::<_, Trouble>(()) }, ship())?;
        send(NewCard { order }).await;
        Ok(())
    }";
    let graph = drawn(function, &[("src/lib.rs", home)]);
    let message = |id: &str| match &graph.node(id).unwrap().kind {
        NodeKind::Receive { message, .. } | NodeKind::Send { message, .. } => message.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!([message("new_card"), message("new_card_2")], ["card.renewed", "card.renewed"]);
    let codes: Vec<&str> = graph.errors.iter().map(|error| &*error.code).collect();
    assert_eq!(codes, ["LATE", "Refused"], "the branches fail with them");
    assert_eq!(&*graph.errors[0].wraps[0].variant, "TimedOut");
}

#[test]
fn a_name_that_two_have_is_not_guessed() {
    let function = "async fn sell() { pack().await; warehouse::pack().await; }";
    let other = "/// Pack the suitcase\n#[step] async fn pack() {}";
    let files =
        [("src/lib.rs", "use crate::nowhere::*;"), ("src/travel.rs", other), ("src/warehouse.rs", WAREHOUSE)];
    let graph = drawn(function, &files);
    assert_eq!(graph.node("pack").unwrap().title(), "Pack");
    assert_eq!(graph.node("pack_2").unwrap().title(), "Pack the goods");
}

/// The page of each function, as rustdoc writes it.
fn pages(functions: &[(&str, &str)], folder: &Path) -> Vec<String> {
    let items =
        functions.iter().map(|(name, text)| format!("/// Sell\n#[doc = {text:?}]\npub fn {name}() {{}}\n"));
    let source = format!("//! Shop\n{}", items.collect::<String>());
    std::fs::write(folder.join("shop.rs"), source).unwrap();
    let rustdoc = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let done = Command::new(rustdoc)
        .args(["--edition", "2024", "-D", "warnings", "--out-dir", "doc", "shop.rs"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let page = |name: &str| std::fs::read_to_string(folder.join(format!("doc/shop/fn.{name}.html"))).unwrap();
    functions.iter().map(|(name, _)| page(name)).collect()
}

#[test]
fn rustdoc_shows_the_picture_with_the_ids_of_the_nodes_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let graph = sell();
    let (one, two) = (super::section("sell", "", &graph), super::section("sell_2", "", &graph));
    // Both on one page too, as in a chapter of a guide.
    let both = format!("{one}{two}");
    let pages = pages(&[("sell", &one), ("sell_2", &two), ("both", &both)], folder.path());
    for node in graph.nodes.iter().filter(|node| node.is_operation()) {
        let group = format!("<g id=\"diagram-sell-{}\" class=", node.id);
        assert_eq!(pages[0].matches(&group).count(), 1, "{group}");
    }
    assert!(pages[0].contains("diagram-sell-deliver.pack\""), "the inside of a subflow");
    assert!(pages[0].contains("<title>Give the money back</title>"), "what undoes a step");
    assert!(pages[0].contains(r#"role="img""#) && pages[0].contains(r#"aria-label="Sell""#));
    for page in &pages {
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "each id stands once on a page");
        assert!(!page.contains("&lt;svg") && !page.contains("&lt;g "), "the picture is no text");
    }
    assert_eq!(pages[2].matches("<svg ").count() - pages[1].matches("<svg ").count(), 1);
}

#[test]
fn the_pictures_of_the_guide_are_drawn_from_its_text_as_they_are_exported() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (flows, shop) = (read("tests/pictures/flows.rs"), read("tests/pictures/shop.rs"));
    let neighbours =
        || Neighbours::from_texts(&[("tests/pictures/flows.rs", &flows), ("tests/pictures/shop.rs", &shop)]);
    let mut drawn = 0;
    for item in syn::parse_file(&flows).unwrap().items {
        let Item::Fn(function) = item else { continue };
        let name = function.sig.ident.to_string();
        let is_workflow = function.attrs.iter().find(|attribute| attribute.path().is_ident("workflow"));
        let picture = root.join(format!("docs/pictures/{name}.svg"));
        let (Some(workflow), true) = (is_workflow, picture.is_file()) else { continue };
        let words = workflow.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
        let mut errors = Errors::default();
        let options = attribute::parse(Kind::Workflow, words, &mut errors);
        let function = RawFn::read(function.to_token_stream()).unwrap();
        let body = awaits::parse_body(&function).unwrap();
        let lowered = check(Kind::Workflow, &function, &body, &mut errors).lowered.unwrap();
        assert_eq!(errors.texts(), [] as [String; 0]);
        let named = Graph {
            label: docs::split(&function.attrs).label.unwrap().into(),
            trigger: super::trigger(&options, &neighbours()),
            ..Graph::named(&name)
        };
        let graph = super::graph(named, &function.sig.output, &lowered, &neighbours()).unwrap();
        let committed = std::fs::read_to_string(picture).unwrap().replace("\r\n", "\n");
        assert!(workflow_bpmn::to_svg(&graph) == committed, "{name} is drawn otherwise than it is exported");
        drawn += 1;
    }
    assert!(drawn >= 20, "{drawn} pictures");
}
