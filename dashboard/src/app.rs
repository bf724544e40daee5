//! The frame around every page, and which page is at which address.

use leptos::prelude::*;
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::path;

use crate::clock::provide_ticks;
use crate::components::account::Account;
use crate::pages::{
    CompilePage, ExperimentPage, ExperimentsPage, ModelPage, ModelsPage, NotFound, OverviewPage, PlaygroundPage,
    ProductionPage, RunPage,
};
use crate::routes;
use crate::theme::ThemeToggle;
use crate::ui::{Icon, icon, provide_toasts};

/// The whole dashboard.
#[component]
pub fn App() -> impl IntoView {
    provide_ticks();
    let toasts = provide_toasts();
    view! {
        <Router>
            <a class="skip" href="#main">"To the content"</a>
            <div class="frame">
                <header class="top">
                    <A href=routes::OVERVIEW attr:class="brand">
                        <img src="/favicon.svg" alt="" width="24" height="24"/>
                        "Beira"
                    </A>
                    <nav class="main-nav" aria-label="Main">
                        <NavLink href=routes::OVERVIEW sign=Icon::Overview text="Overview" exact=true/>
                        <NavLink href=routes::EXPERIMENTS sign=Icon::Flask text="Experiments"/>
                        <NavLink href=routes::MODELS sign=Icon::Cube text="Models"/>
                        <NavLink href=routes::COMPILE sign=Icon::Upload text="Compile"/>
                    </nav>
                    <div class="top-end"><Account/><ThemeToggle/></div>
                </header>
                <main id="main" tabindex="-1">
                    <Routes fallback=NotFound>
                        <Route path=path!("/") view=OverviewPage/>
                        <Route path=path!("/experiments") view=ExperimentsPage/>
                        <Route path=path!("/experiments/:id") view=ExperimentPage/>
                        <Route path=path!("/experiments/:experiment/runs/:id") view=RunPage/>
                        <Route path=path!("/runs/:id") view=RunPage/>
                        <Route path=path!("/models") view=ModelsPage/>
                        <Route path=path!("/models/:name") view=ModelPage/>
                        <Route path=path!("/models/:name/production") view=ProductionPage/>
                        <Route path=path!("/models/:name/playground") view=PlaygroundPage/>
                        <Route path=path!("/compile") view=CompilePage/>
                    </Routes>
                </main>
            </div>
            {toasts}
        </Router>
    }
}

#[component]
fn NavLink(href: &'static str, sign: Icon, text: &'static str, #[prop(optional)] exact: bool) -> impl IntoView {
    view! { <A href=href exact=exact>{icon(sign)}<span>{text}</span></A> }
}
