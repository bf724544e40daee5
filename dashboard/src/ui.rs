//! Pieces that know nothing of models or runs.

mod badge;
mod copy;
mod empty;
mod failure;
mod icon;
mod page_head;
mod segmented;
mod skeleton;
mod stat;
mod toast;

pub use badge::{Tone, badge};
pub use copy::CopyButton;
pub use empty::empty;
pub use failure::failure;
pub use icon::{Icon, icon};
pub use page_head::{PageHead, set_title};
pub use segmented::Segmented;
pub use skeleton::{skeleton_cards, skeleton_page, skeleton_rows};
pub use stat::Stat;
pub use toast::{Toasts, provide_toasts};
