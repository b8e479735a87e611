//! WF021: which types can stand for recorded values, as far as the text tells.
//! What the text does not tell (whether serde can write it) is for the compiler's types to say.

use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypeImplTrait, TypeReference,
    TypeTraitObject,
};

use crate::errors::Errors;

/// Whether the type can be that of an argument or result. `owned` says what to write instead of a reference.
pub(super) fn check(ty: &Type, owned: &str, errors: &mut Errors) -> bool {
    let mut check = Check { owned, errors, is_fine: true };
    check.visit_type(ty);
    check.is_fine
}

struct Check<'a> {
    owned: &'a str,
    errors: &'a mut Errors,
    is_fine: bool,
}

impl Check<'_> {
    fn refuse(&mut self, error: syn::Error) {
        self.is_fine = false;
        self.errors.push(error);
    }
}

impl<'ast> Visit<'ast> for Check<'_> {
    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        let message = "WF021: `impl Trait` names no type that the journal could read back; write the type";
        self.refuse(syn::Error::new_spanned(ty, message));
    }

    fn visit_type_trait_object(&mut self, ty: &'ast TypeTraitObject) {
        let message = "WF021: a `dyn` type cannot be read back from the journal; write the type, \
                       or an enum of the types that are possible";
        self.refuse(syn::Error::new_spanned(ty, message));
    }

    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        let message = format!("WF021: a reference cannot be read back from the journal; {}", self.owned);
        self.refuse(syn::Error::new_spanned(ty, message));
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        let message = format!("WF021: what borrows cannot be read back from the journal; {}", self.owned);
        self.refuse(syn::Error::new(lifetime.ident.span(), message));
    }

    // What a function pointer or `Fn(..)` takes is its own affair; that it cannot be stored is told by its type.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        // The length of an array.
        visit::visit_expr(self, expression);
    }
}

/// The last segment of the type's path: what the type is called where it is used.
pub(super) fn called(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => called(&group.elem),
        Type::Paren(paren) => called(&paren.elem),
        _ => None,
    }
}

/// The type arguments of a path segment: the `T` and `E` of `Result<T, E>`.
pub(super) fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}
