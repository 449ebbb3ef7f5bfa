//! The sites that carry the pixel, and their pages.

use super::encoding::push_path;

/// One page of a site.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Page {
    /// Path as a person reads it, not yet encoded.
    pub(super) path: &'static str,
    /// Title.
    pub(super) title: &'static str,
}

/// A page as one row of a table.
const fn page(path: &'static str, title: &'static str) -> Page {
    Page { path, title }
}

/// One site.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Site {
    /// What the tag sends as `s`.
    pub(super) id: &'static str,
    /// Host of the pages, as the wire knows it.
    pub(super) host: &'static str,
    /// Host of the pages, as a person reads it.
    pub(super) unicode_host: &'static str,
    /// Host of the pixel, a name of the distribution.
    pub(super) pixel_host: &'static str,
    /// Domain name of the distribution.
    pub(super) distribution: &'static str,
    /// `sec-fetch-site` of a request from a page to the pixel.
    pub(super) relation: &'static str,
    /// Events that follow a page view, with how often they do.
    pub(super) follow_ups: &'static [(u64, &'static str)],
    /// Pages.
    pub(super) pages: &'static [Page],
}

impl Site {
    /// Appends the address of a page. `readable` is what a tag sends that decodes its address first: the host
    /// is then not punycode and the path not encoded.
    pub(super) fn push_url(&self, out: &mut Vec<u8>, page: Page, query: &[u8], readable: bool) {
        out.extend_from_slice(b"https://");
        if readable {
            out.extend_from_slice(self.unicode_host.as_bytes());
            out.extend_from_slice(page.path.as_bytes());
        } else {
            out.extend_from_slice(self.host.as_bytes());
            push_path(out, page.path);
        }
        if !query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(query);
        }
    }
}

/// Events of a site whose pages are read.
const READING: &[(u64, &str)] = &[(60, "scroll"), (25, "click"), (10, "video_play"), (5, "share")];

/// All sites with how much traffic they have.
pub(super) const SITES: &[(u64, Site)] = &[
    (
        40,
        Site {
            id: "shop",
            host: "shop.example",
            unicode_host: "shop.example",
            pixel_host: "t.shop.example",
            distribution: "d111111abcdef8.cloudfront.net",
            relation: "same-site",
            follow_ups: &[
                (35, "scroll"),
                (30, "click"),
                (22, "add_to_cart"),
                (13, "purchase"),
            ],
            pages: &[
                page("/", "Shop"),
                page("/p/1042", "Trail shoes | Shop"),
                page("/p/2310", "Rain jacket, 20% off | Shop"),
                page("/p/77", "Coffee & tea | Shop"),
                page("/ja/靴/登山", "登山靴 | ショップ"),
                page("/de/schuhe/größe-42", "Schuhe Größe 42 – günstig | Shop"),
                page("/ar/قهوة", "قهوة عربية | متجر"),
                page("/sale", "Sale 🎉 50% off 👟"),
                page("/cart", "Your cart"),
            ],
        },
    ),
    (
        30,
        Site {
            id: "blog",
            host: "blog.example.com",
            unicode_host: "blog.example.com",
            pixel_host: "px.example.com",
            distribution: "d222222abcdef8.cloudfront.net",
            relation: "same-site",
            follow_ups: READING,
            pages: &[
                page("/", "The blog"),
                page("/2026/10/pixels", "What a pixel sees"),
                page("/2026/11/a-year", "A year of \"nothing lost\""),
                page("/2026/08/日本の朝", "日本の朝"),
                page("/about us", "About us"),
            ],
        },
    ),
    (
        7,
        Site {
            id: "buecher",
            host: "xn--bcher-kva.example",
            unicode_host: "bücher.example",
            pixel_host: "px.xn--bcher-kva.example",
            distribution: "d222222abcdef8.cloudfront.net",
            relation: "same-site",
            follow_ups: READING,
            pages: &[
                page("/", "Bücher"),
                page("/über-uns", "Über uns – Bücher"),
                page("/lesen/straße", "Die Straße: ein Auszug"),
            ],
        },
    ),
    (
        5,
        Site {
            id: "tatoe",
            host: "xn--r8jz45g.xn--zckzah",
            unicode_host: "例え.テスト",
            pixel_host: "px.example.com",
            distribution: "d222222abcdef8.cloudfront.net",
            relation: "cross-site",
            follow_ups: READING,
            pages: &[page("/", "例え"), page("/記事/秋", "秋の記事 🍁")],
        },
    ),
    (
        18,
        Site {
            id: "daily",
            host: "daily.example",
            unicode_host: "daily.example",
            pixel_host: "p.ads.test",
            distribution: "d333333abcdef8.cloudfront.net",
            relation: "cross-site",
            follow_ups: &[(75, "ad_impression"), (15, "ad_click"), (10, "scroll")],
            pages: &[
                page("/", "Daily"),
                page("/world/harbour", "The harbour opens | Daily"),
                page("/sport", "Sport | Daily"),
            ],
        },
    ),
];

/// The newsletter, whose pixel is opened and not visited.
pub(super) const NEWSLETTER: Site = Site {
    id: "news",
    host: "news.example",
    unicode_host: "news.example",
    pixel_host: "px.news.example",
    distribution: "d444444abcdef8.cloudfront.net",
    relation: "cross-site",
    follow_ups: READING,
    pages: &[page("/", "Newsletter")],
};
