//! `use` declarations inside a body: the constants beside it need them to understand the names of steps.
//! Syntax only; what is imported, and whether it exists, is rustc's affair.

use std::collections::BTreeSet;

use syn::{Block, ExprPath, Item, ItemUse, Stmt, Type, UseTree};

use super::lower::What;

/// The declarations that stand directly in this block.
pub(crate) fn of(block: &Block) -> Vec<ItemUse> {
    let uses = block.stmts.iter().filter_map(|statement| match statement {
        Stmt::Item(Item::Use(item)) => Some(item.clone()),
        _ => None,
    });
    uses.collect()
}

/// Those of the declarations around an operation that may say what its names mean. Others are left out: they may
/// speak of items of the body, which nobody sees from outside.
pub(crate) fn needed(function: &ExprPath, what: &What, around: &[Vec<ItemUse>]) -> Vec<Vec<ItemUse>> {
    let mut wanted: BTreeSet<String> =
        function.path.segments.iter().take(1).map(|s| s.ident.to_string()).collect();
    if let What::Receive(message) | What::Send(message) = what
        && let Type::Path(message) = &**message
    {
        wanted.extend(message.path.segments.iter().take(1).map(|s| s.ident.to_string()));
    }
    let mut count = 0;
    while count != wanted.len() {
        count = wanted.len();
        // What an import begins with is perhaps the name of another one.
        let bringing = around.iter().flatten().filter(|item| brings(&item.tree, &wanted));
        let roots: Vec<String> = bringing.filter_map(|item| root(&item.tree)).collect();
        wanted.extend(roots);
    }
    let of_block = |uses: &Vec<ItemUse>| -> Vec<ItemUse> {
        uses.iter().filter(|item| brings(&item.tree, &wanted)).cloned().collect()
    };
    around.iter().map(of_block).filter(|uses| !uses.is_empty()).collect()
}

fn brings(tree: &UseTree, wanted: &BTreeSet<String>) -> bool {
    match tree {
        UseTree::Path(path) => match &*path.tree {
            UseTree::Group(group) if has_self(&group.items) && wanted.contains(&path.ident.to_string()) => {
                true
            }
            tree => brings(tree, wanted),
        },
        UseTree::Name(name) => wanted.contains(&name.ident.to_string()),
        UseTree::Rename(rename) => wanted.contains(&rename.rename.to_string()),
        UseTree::Glob(_) => true,
        UseTree::Group(group) => group.items.iter().any(|tree| brings(tree, wanted)),
    }
}

fn has_self<'t>(items: impl IntoIterator<Item = &'t UseTree>) -> bool {
    items.into_iter().any(|item| matches!(item, UseTree::Name(name) if name.ident == "self"))
}

fn root(tree: &UseTree) -> Option<String> {
    match tree {
        UseTree::Path(path) => Some(path.ident.to_string()),
        _ => None,
    }
}
