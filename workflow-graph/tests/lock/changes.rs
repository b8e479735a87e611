//! Changes of a plain flow: steps, conditions, waits, names, types, switches of versions.

use workflow_graph::{Effect, Graph, Instances, Signature, Wire};

use crate::sketch::{breaks, error, fits, graph, undo, with_step};

fn sells() -> Graph {
    graph("charge: ship\nship: completed\ncompleted ok:")
}

#[test]
fn code_that_is_the_same_fits() {
    fits(&sells(), &sells());
    let looping = graph(
        "head merge: charge\ncharge: if_more\nif_more if: ?more=wait, else=done\nwait timer: head\ndone ok:",
    );
    fits(&looping, &looping);
}

#[test]
fn operations_are_neither_inserted_nor_removed_nor_exchanged() {
    let more = graph("charge: pack\npack: ship\nship: completed\ncompleted ok:");
    breaks(&sells(), &more, &["`ship` comes here", "`pack` comes here", "patched(", "version = 2"]);
    breaks(&more, &sells(), &["`pack` comes here", "`ship` comes here"]);
    let exchanged = graph("ship: charge\ncharge: completed\ncompleted ok:");
    breaks(&sells(), &exchanged, &["`charge`", "`ship`"]);
    let first = graph("look: charge\ncharge: ship\nship: completed\ncompleted ok:");
    breaks(&sells(), &first, &["`look`"]);
}

#[test]
fn what_comes_after_the_last_operation_is_free() {
    let more = graph("charge: ship\nship: thank\nthank: completed\ncompleted ok:");
    fits(&sells(), &more);
    breaks(&more, &sells(), &["`thank`", "it ends here"]);
}

#[test]
fn after_an_error_a_run_may_still_be_undoing() {
    let plain = |charge: &str| {
        graph(&format!(
            "charge {charge}: ship, !=failed\nship: completed, !=failed\ncompleted ok:\nfailed fail:"
        ))
    };
    let told = |charge: &str| {
        graph(&format!(
            "charge {charge}: ship, !=failed\nship: completed, !=tell\ntell: failed\ncompleted ok:\nfailed fail:"
        ))
    };
    fits(&plain("step"), &told("step"));
    breaks(&plain("undone"), &told("undone"), &["it ends here with an error", "`tell` comes here"]);
    let forgives = graph(
        "charge undone: ship, !=failed\nship: completed, !=done\ncompleted ok:\nfailed fail:\ndone ok:",
    );
    breaks(&plain("undone"), &forgives, &["with an error"]);
}

#[test]
fn a_condition_stays_the_same() {
    let asks = |condition: &str| {
        graph(&format!(
            "if_large if: ?{condition}=check, else=ship\ncheck: ship\nship: completed\ncompleted ok:"
        ))
    };
    fits(&asks("total > 100"), &asks("total > 100"));
    breaks(&asks("total > 100"), &asks("total > 200"), &["`total > 100`", "`total > 200`", "the other way"]);
    let with_guard = |guard: u64| {
        let mut graph = asks("large");
        let node = graph.index_of("if_large").unwrap();
        graph.nodes.to_mut()[node].guard = guard;
        graph
    };
    fits(&with_guard(7), &with_guard(7));
    breaks(&with_guard(7), &with_guard(8), &["the other way"]);
}

#[test]
fn a_condition_may_go_where_both_ways_do_the_same() {
    let asks = graph("if_large if: ?large=ship, else=done\nship: done\ndone ok:");
    let always = graph("ship: done\ndone ok:");
    fits(&asks, &always); // A run for which it was not large has ended.
    breaks(&always, &asks, &["it ends here"]);
    let early = graph("charge: if_large\nif_large if: ?large=done, else=ship\nship: done\ndone ok:");
    breaks(&sells(), &early, &["it ends here"]);
    let late =
        graph("charge: ship\nship: if_large\nif_large if: ?large=thank, else=done\nthank: done\ndone ok:");
    fits(&sells(), &late);
}

#[test]
fn a_condition_that_is_put_around_another_leaves_it_alone() {
    let old = graph("if_a if: ?a=x, else=y\nx: done\ny: done\ndone ok:");
    let new = graph(
        "if_p switch:p: ?patched(\"p\").await=z, else=if_a\nif_a if: ?a=x, else=y\nx: done\ny: done\nz: done\ndone ok:",
    );
    fits(&old, &new);
    let swapped = graph("if_a if: ?a=y, else=x\nx: done\ny: done\ndone ok:");
    breaks(&old, &swapped, &["`x`", "`y`"]);
}

#[test]
fn a_change_behind_a_switch_fits() {
    let new = graph(
        "charge: if_p\nif_p switch:p: ?patched(\"p\").await=pack, else=ship\npack: ship_2\nship_2 step:ship: done\n\
         ship: done\ndone ok:",
    );
    fits(&sells(), &new);
    let negated = graph(
        "charge: if_p\nif_p switch:p: ?!patched(\"p\").await=ship, else=pack\npack: done\nship: done\ndone ok:",
    );
    fits(&sells(), &negated);
    let wrong = graph(
        "charge: if_p\nif_p switch:p: ?patched(\"p\").await=ship, else=pack\npack: done\nship: done\ndone ok:",
    );
    breaks(&sells(), &wrong, &["`pack`"]);
}

#[test]
fn a_switch_stays_with_both_its_ways() {
    let both = graph(
        "charge: if_p\nif_p switch:p: ?patched(\"p\").await=pack, else=ship\npack: done\nship: done\ndone ok:",
    );
    fits(&both, &both);
    let new_only = graph("charge: pack\npack: done\ndone ok:");
    breaks(&both, &new_only, &["patched(\"p\")", "--retire"]);
    let turned = graph(
        "charge: if_p\nif_p switch:p: ?patched(\"p\").await=ship, else=pack\npack: done\nship: done\ndone ok:",
    );
    breaks(&both, &turned, &["`ship`", "`pack`"]);
}

#[test]
fn a_renamed_step_says_what_it_was() {
    let was = |name: &str, was: &'static [&'static str], text: &str| {
        let mut graph = graph(text);
        for index in 0..graph.nodes.len() {
            let id = graph.nodes[index].id.to_string();
            if id.starts_with(name) {
                let names = was.iter().map(|was| (*was).into()).collect::<Vec<_>>();
                graph = with_step(graph, &id, |step| step.was = names.into());
            }
        }
        graph
    };
    let renamed = "take_money: ship\nship: completed\ncompleted ok:";
    fits(&sells(), &was("take_money", &["charge"], renamed));
    breaks(&sells(), &graph(renamed), &["`charge`", "`take_money`", "was = "]);
    breaks(&sells(), &was("take_money", &["pay"], renamed), &["`charge`"]);
    let twice = graph("charge: ship\nship: charge_2\ncharge_2 step:charge: completed\ncompleted ok:");
    let both = "take: ship\nship: take_2\ntake_2 step:take: completed\ncompleted ok:";
    fits(&twice, &was("take", &["charge"], both));
    let taken = "take: ship\nship: charge\ncharge: completed\ncompleted ok:";
    breaks(&twice, &was("take", &["charge"], taken), &["`charge`"]);
    let pinned = was("charge", &["pay"], "charge step:pay: ship\nship: completed\ncompleted ok:");
    breaks(&sells(), &pinned, &["`charge`", "`pay`"]);
    fits(&sells(), &with_step(pinned, "charge", |step| step.was = vec!["charge".into()].into()));
}

#[test]
fn what_is_recorded_of_a_step_keeps_its_types() {
    let with = |takes: &'static str, gives: &'static str| {
        with_step(sells(), "charge", |step| step.signature = Signature::of(takes, gives))
    };
    fits(&with("Order", "Payment"), &with("Order", "Payment"));
    breaks(&with("Order", "Payment"), &with("Order, u8", "Payment"), &["takes `Order`", "`Order, u8`"]);
    breaks(&with("Order", "Payment"), &with("Order", "Receipt"), &["gives `Payment`", "`Receipt`"]);
}

#[test]
fn errors_may_be_added_and_not_removed() {
    let with = |names: &[&str]| {
        let errors = names.iter().map(|name| error(name)).collect::<Vec<_>>();
        with_step(sells(), "charge", |step| step.errors = errors.into())
    };
    fits(&with(&["Declined"]), &with(&["Expired", "Declined"]));
    breaks(&with(&["Declined", "Expired"]), &with(&["Declined"]), &["can fail with `Expired`"]);
}

#[test]
fn an_error_goes_where_it_went() {
    let old = graph("charge: done, !Declined=ask, !=failed\nask: done\ndone ok:\nfailed fail:");
    fits(&old, &old);
    let all = |graph| {
        with_step(graph, "charge", |step| step.errors = vec![error("Declined"), error("Expired")].into())
    };
    let told =
        graph("charge: done, !Declined=ask, !Expired=failed, !=failed\nask: done\ndone ok:\nfailed fail:");
    fits(&all(old.clone()), &all(told));
    let other = graph("charge: done, !Declined=tell, !=failed\ntell: done\ndone ok:\nfailed fail:");
    breaks(&all(old.clone()), &all(other), &["`ask`", "`tell`"]);
    // An error that the old step did not have is in no journal.
    let new_error = graph(
        "charge: done, !Declined=ask, !Lost=tell, !=failed\nask: done\ntell: done\ndone ok:\nfailed fail:",
    );
    fits(&old, &new_error);
}

#[test]
fn how_a_step_is_undone_stays_the_same() {
    let undone = |name: &str| with_step(sells(), "charge", |step| step.compensation = Some(undo(name)));
    fits(&undone("refund"), &undone("refund"));
    breaks(&sells(), &undone("refund"), &["not undone", "`refund`"]);
    breaks(&undone("refund"), &sells(), &["not undone", "`refund`"]);
    breaks(&undone("refund"), &undone("give_back"), &["`refund`", "`give_back`"]);
    let renamed = with_step(undone("give_back"), "charge", |step| {
        step.compensation.as_mut().unwrap().was = vec!["refund".into()].into();
    });
    fits(&undone("refund"), &renamed);
    let wired = with_step(undone("refund"), "charge", |step| {
        step.compensation.as_mut().unwrap().wiring = vec![Wire::Output].into();
    });
    breaks(&undone("refund"), &wired, &["undone by"]);
    let effect = |effect| with_step(sells(), "charge", |step| step.effect = effect);
    fits(&effect(Effect::Undeclared), &effect(Effect::ReadOnly));
    breaks(&effect(Effect::ReadOnly), &effect(Effect::Pivot), &["pivot"]);
}

#[test]
fn waits_keep_their_place_and_their_message() {
    let waits = |kind: &str| graph(&format!("wait {kind}: done, ~=late\ndone ok:\nlate ok:"));
    let forever = graph("wait forever:Paid: done\ndone ok:");
    fits(&waits("receive:Paid"), &waits("receive:Paid"));
    breaks(&waits("receive:Paid"), &waits("receive:Payment"), &["`Paid`", "`Payment`"]);
    breaks(&waits("receive:Paid"), &forever, &["waits for ever"]);
    fits(&forever, &waits("receive:Paid"));
    let sleeps = graph("sleep timer: done\ndone ok:");
    breaks(&sleeps, &waits("receive:Paid"), &["the timer `sleep`"]);
    let sends = |message: &str| graph(&format!("send send:{message}: done\ndone ok:"));
    breaks(&sends("Paid"), &sends("Sent"), &["`Paid`", "`Sent`"]);
}

#[test]
fn children_are_the_same_workflow() {
    let child = |name: &str| graph(&format!("deliver child:{name}: done\ndone ok:"));
    fits(&child("deliver"), &child("deliver"));
    breaks(&child("deliver"), &child("bring"), &["`deliver`", "`bring`"]);
}

#[test]
fn what_is_repeated_is_repeated_alike() {
    let many = |limit: &'static str, fails_fast: bool, guard: u64| {
        let mut graph = sells();
        graph.nodes.to_mut()[1].instances = Some(Instances { limit: limit.into(), fails_fast });
        graph.nodes.to_mut()[1].guard = guard;
        graph
    };
    fits(&many("3", false, 1), &many("3", false, 1));
    for other in [many("4", false, 1), many("3", true, 1), many("3", false, 2), sells()] {
        breaks(&many("3", false, 1), &other, &["repeated otherwise"]);
    }
}

#[test]
fn the_arguments_and_the_deadline_of_a_run_are_recorded() {
    let takes = |takes: &'static str, gives| Graph { signature: Signature::of(takes, gives), ..sells() };
    fits(&takes("Order", "Receipt"), &takes("Order", "Bill"));
    breaks(&takes("Order", ""), &takes("Cart", ""), &["takes `Order`", "`Cart`"]);
    let ends = |deadline_ms| Graph { deadline_ms, ..sells() };
    fits(&ends(Some(1)), &ends(Some(2)));
    breaks(&ends(Some(1)), &ends(None), &["deadline"]);
    breaks(&ends(None), &ends(Some(1)), &["deadline"]);
}
