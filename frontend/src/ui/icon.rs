//! Icons, drawn by us on a grid of 20: no font and no request.

use leptos::prelude::*;

macro_rules! glyphs {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)*) => {
        /// Every icon there is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Glyph { $($(#[$doc])* $name,)* }

        impl Glyph {
            const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }
        }
    };
}

glyphs! {
    /// Figures.
    Panel = "M3 3h6v8H3zM11 3h6v5h-6zM11 11h6v6h-6zM3 14h6v3H3z";
    /// Two ends joined.
    Plug = "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3";
    /// A rule: a fork.
    Rule = "M5 3v6a3 3 0 0 0 3 3h7M5 9v8M12 9l3 3-3 3";
    /// What arrives.
    Inbox = "M3 11h4l1.5 2.5h3L13 11h4M5 4h10l2 7v5H3v-5z";
    /// What was not delivered.
    Outbox = "M10 12V3M6.5 6.5 10 3l3.5 3.5M3 12v5h14v-5";
    /// A sheet going up.
    Upload = "M5 3h7l3 3v11H5zM10 14V8.5M7.5 11 10 8.5l2.5 2.5";
    /// A telephone.
    Phone = "M4 3.5h3.2l1.4 3.6-2 1.6a9 9 0 0 0 4.7 4.7l1.6-2 3.6 1.4V16a1.5 1.5 0 0 1-1.6 1.5C8.6 17 3 11.4 2.5 5.1A1.5 1.5 0 0 1 4 3.5z";
    /// Down to the disk.
    Download = "M10 3v9M6.5 8.5 10 12l3.5-3.5M3 13v4h14v-4";
    /// Lines of a log.
    Log = "M5 3h10v14H5zM8 7h4M8 10h4M8 13h2.5";
    /// What happened, in order.
    Story = "M5 4v12M5 4.1v.1M5 10v.1M5 16v.1M8.5 4.2H16M8.5 10H16M8.5 15.8H13";
    /// Settings.
    Gear = "M10 7.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M15.3 4.7l-1.4 1.4M6.1 13.9l-1.4 1.4";
    /// Three lines.
    Menu = "M3 5.5h14M3 10h14M3 14.5h14";
    /// Cross.
    Close = "M5 5l10 10M15 5 5 15";
    /// Tick.
    Tick = "M4 10.5 8 14.5 16 6";
    /// A tick in a ring.
    Done = "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM6.8 10.2l2.2 2.3 4.2-4.7";
    /// Attention.
    Warn = "M10 3 2.5 16.5h15zM10 8v4M10 14.4v.1";
    /// Failure.
    Fail = "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 6.4v4.4M10 13.5v.1";
    /// Something to know.
    Info = "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 9.2v4.4M10 6.5v.1";
    /// Again.
    Refresh = "M16.5 10A6.5 6.5 0 1 1 14.4 5.2M16.5 3v3.8h-3.8";
    /// More.
    Plus = "M10 4v12M4 10h12";
    /// Copy.
    Copy = "M7 7h9v10H7zM4 13V3h9";
    /// See.
    Eye = "M2 10s3-5.2 8-5.2S18 10 18 10s-3 5.2-8 5.2S2 10 2 10zM10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z";
    /// Do not see.
    EyeOff = "M4 4l12 12M8.2 5A8 8 0 0 1 10 4.8c5 0 8 5.2 8 5.2a14 14 0 0 1-2.2 2.7M5 6.6A13 13 0 0 0 2 10s3 5.2 8 5.2a7.6 7.6 0 0 0 3-.6";
    /// Leave.
    Exit = "M12 4H4v12h8M9 10h8.5M14.5 7l3 3-3 3";
    /// To another site.
    Out = "M8 4H4v12h12v-4M11 3.5h5.5V9M16 4l-7 7";
    /// Later page.
    Right = "M7.5 4.5 13 10l-5.5 5.5";
    /// Earlier page.
    Left = "M12.5 4.5 7 10l5.5 5.5";
    /// Up.
    Up = "M4.5 12.5 10 7l5.5 5.5";
    /// Down.
    Down = "M4.5 7.5 10 13l5.5-5.5";
    /// Throw away.
    Bin = "M4 6h12M8 6V3.5h4V6M5.5 6l.8 11h7.4l.8-11";
    /// A key.
    Key = "M13 3.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10.4 9.4 3.5 16.5M6 14l2 2";
    /// Search.
    Search = "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4";
    /// From here to there.
    Arrow = "M3 10h13M12 6l4 4-4 4";
    /// Pause.
    Pause = "M7 4.5v11M13 4.5v11";
    /// Taken by it, something moves.
    Grip = "M7.5 5v.1M12.5 5v.1M7.5 10v.1M12.5 10v.1M7.5 15v.1M12.5 15v.1";
    /// Take back.
    Undo = "M7 5 3.5 8.5 7 12M4 8.5h8a4.5 4.5 0 0 1 0 9H9";
    /// Do again.
    Redo = "M13 5l3.5 3.5L13 12M16 8.5H8a4.5 4.5 0 0 0 0 9h3";
    /// Go on.
    Play = "M6 4l9.5 6L6 16z";
}

/// An icon beside words. It has no name of its own: what it means must stand in text.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
