//! Facts that follow from a row and from rules: the place for what is looked up and classified.

use pixel_row::Row;

/// The rules, compiled once from the configuration. There are none yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {}

impl Rules {
    /// Fills the columns that follow from the others by these rules. Nothing that a column says already is
    /// changed.
    #[expect(
        clippy::unused_self,
        reason = "the place of the rules, of which there are none yet"
    )]
    #[inline]
    pub(crate) fn enrich(&self, _row: &mut Row<'_>) {}
}
