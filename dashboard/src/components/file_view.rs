//! One file: text, table or picture. A picture is shown as an image and never as part of the page,
//! so a script in an SVG does not run.

use leptos::prelude::*;

use crate::live::{live, loaded, once};
use crate::ui::{Icon, icon};
use crate::{api, format};

/// Characters of a text that are shown.
const TEXT_MAX: usize = 200_000;
/// Rows of a table that are shown.
const ROWS_MAX: usize = 200;

/// The file at `path` of a run's artifacts.
#[component]
pub fn FileView(#[prop(into)] run: Signal<String>, #[prop(into)] path: Signal<String>) -> impl IntoView {
    let bytes = live(
        move || (run.get(), path.get()),
        once(),
        |(run, path)| async move {
            match kind(&path) {
                Kind::Other => Ok((path, None)),
                _ => api::artifact(&run, &path).await.map(|bytes| (path, Some(bytes))),
            }
        },
    );
    let href = move || api::url(&api::artifact_path(&run.get(), &path.get()));
    let name = move || path.with(|p| p.rsplit('/').next().unwrap_or_default().to_owned());
    view! {
        <header class="file-head">
            <b class="clip">{move || path.get()}</b>
            <a class="button small" href=href download=name>{icon(Icon::Download)}"Download"</a>
        </header>
        {loaded(bytes, || view! { <div class="skeleton tall"></div> }, |file| {
            move || file.with(|(path, bytes)| show(path, bytes.as_deref()))
        })}
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Json,
    Table(char),
    Picture(&'static str),
    Other,
}

fn kind(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, ending)) = name.rsplit_once('.') else {
        let texts = ["MLmodel", "Dockerfile", "Makefile", "LICENSE", "README"];
        return if texts.contains(&name) { Kind::Text } else { Kind::Other };
    };
    match ending.to_ascii_lowercase().as_str() {
        "json" => Kind::Json,
        "csv" => Kind::Table(','),
        "tsv" => Kind::Table('\t'),
        "svg" => Kind::Picture("image/svg+xml"),
        "png" => Kind::Picture("image/png"),
        "jpg" | "jpeg" => Kind::Picture("image/jpeg"),
        "gif" => Kind::Picture("image/gif"),
        "webp" => Kind::Picture("image/webp"),
        "txt" | "md" | "log" | "yaml" | "yml" | "toml" | "py" | "rs" | "sql" | "ini" | "cfg" | "xml" | "html"
        | "js" | "ts" | "sh" | "lock" | "wat" => Kind::Text,
        _ => Kind::Other,
    }
}

fn show(path: &str, bytes: Option<&[u8]>) -> AnyView {
    let Some(bytes) = bytes else {
        return view! { <p class="none">"This kind of file is not shown here. Download it to see it."</p> }.into_any();
    };
    match kind(path) {
        Kind::Picture(media) => picture(path, bytes, media),
        Kind::Table(separator) => table(&String::from_utf8_lossy(bytes), separator).into_any(),
        Kind::Json => {
            let pretty = serde_json::from_slice::<serde_json::Value>(bytes)
                .ok()
                .and_then(|value| serde_json::to_string_pretty(&value).ok());
            text(pretty.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())).into_any()
        }
        Kind::Text | Kind::Other => text(String::from_utf8_lossy(bytes).into_owned()).into_any(),
    }
}

fn text(mut text: String) -> impl IntoView {
    let cut = (text.len() > TEXT_MAX).then(|| {
        let end = (0..=TEXT_MAX).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let all = format::bytes(text.len() as u64);
        text.truncate(end);
        view! { <p class="none">{format!("The file has {all}; its beginning is shown. Download it for the rest.")}</p> }
    });
    view! {
        <pre tabindex="0">{text}</pre>
        {cut}
    }
}

fn picture(path: &str, bytes: &[u8], media: &str) -> AnyView {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(media);
    let address = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &options)
        .and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob));
    let Ok(address) = address else {
        return view! { <p class="none">"The picture could not be read."</p> }.into_any();
    };
    let kept = address.clone();
    on_cleanup(move || drop(web_sys::Url::revoke_object_url(&kept)));
    view! { <div class="picture"><img src=address alt=path.to_owned()/></div> }.into_any()
}

fn table(text: &str, separator: char) -> impl IntoView + use<> {
    let mut rows = cells(text, separator, ROWS_MAX + 2);
    let head = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    let more = rows.len() > ROWS_MAX;
    rows.truncate(ROWS_MAX);
    let head = head.into_iter().map(|cell| view! { <th scope="col">{cell}</th> }).collect_view();
    let body = rows.into_iter().map(|row| {
        let row = row.into_iter().map(|cell| view! { <td class="nums">{cell}</td> }).collect_view();
        view! { <tr>{row}</tr> }
    });
    view! {
        <div class="scroll">
            <table><thead><tr>{head}</tr></thead><tbody>{body.collect_view()}</tbody></table>
        </div>
        {more.then(|| view! { <p class="none">{format!("The first {ROWS_MAX} rows are shown.")}</p> })}
    }
}

/// At most `max` records of a CSV text (RFC 4180: quotes keep separators and line ends, doubled they are one).
fn cells(text: &str, separator: char, max: usize) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            c if c == separator && !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
                if rows.len() == max {
                    return rows;
                }
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells() {
        let check = |text, expected: &[&[&str]]| assert_eq!(cells(text, ',', 9), expected);
        check("a,b\r\n1,2\n", &[&["a", "b"], &["1", "2"]]);
        check("\"x, y\",\"say \"\"hi\"\"\"\n,", &[&["x, y", "say \"hi\""], &["", ""]]);
        check("\"two\nlines\"", &[&["two\nlines"]]);
        check("", &[]);
        assert_eq!(cells("1\n2\n3\n", ',', 2).len(), 2);
    }

    #[test]
    fn kinds() {
        assert_eq!(kind("plots/roc.SVG"), Kind::Picture("image/svg+xml"));
        assert_eq!(kind("model/MLmodel"), Kind::Text);
        assert_eq!(kind("model/model.onnx"), Kind::Other);
    }
}
