//! The tree.

use plimsoll_text::{Layer, Place, Spanned, SyntaxError};

/// A Makefile.
#[derive(Clone, Debug, Default)]
pub struct Makefile {
    /// Variable assignments in order, those of targets included.
    pub variables: Vec<Variable>,
    /// Targets with their recipes, in order. A rule with several targets gives one entry for each.
    pub targets: Vec<Target>,
    /// Files named by `include`.
    pub includes: Vec<Spanned<String>>,
    /// Names listed by `.PHONY`.
    pub phony: Vec<Spanned<String>>,
    /// Whether `.ONESHELL` makes each recipe one script.
    pub one_shell: bool,
    /// Comments with their text after `#`.
    pub comments: Vec<Spanned<String>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A variable assignment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<String>,
    /// `=`, `:=`, `::=`, `?=`, `+=` or `!=`.
    pub operator: String,
    /// The value. For `!=` and `$(shell …)` alone it is a command.
    pub value: Layer,
    /// The target that it belongs to.
    pub target: Option<String>,
    /// Whether it is exported to recipes.
    pub exported: bool,
    /// All of it.
    pub place: Place,
}

/// A target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: Spanned<String>,
    /// What it depends on.
    pub dependencies: Vec<Spanned<String>>,
    /// The comment after `##` on its line, or the comment lines above it.
    pub doc: Option<Spanned<String>>,
    /// Its recipe.
    pub recipe: Vec<RecipeLine>,
    /// The rule's first line.
    pub place: Place,
}

/// A recipe line: what one shell gets.
#[derive(Clone, Debug)]
pub struct RecipeLine {
    /// The text for the shell: `$$` reads `$`, and a plain make variable `$(NAME)` reads `${NAME}`, so that it
    /// is not taken for a command. `$(shell command)` reads `$(command)`.
    pub shell: Layer,
    /// Whether `@` hides it.
    pub silent: bool,
    /// Whether `-` ignores its failure.
    pub ignores_errors: bool,
    /// The line as written.
    pub place: Place,
}
