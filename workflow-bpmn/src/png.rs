//! The picture as pixels, for places that show no SVG.
//! It only hands the SVG to a rasteriser; what is on it is decided elsewhere.

use std::fmt;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Most pixels of a picture: 16,384 on a side is what other programs still open.
const LONGEST: f32 = 16_384.0;

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PngError {
    /// The machine has no fonts, so that nothing could be read on it.
    NoFonts,
    /// The scale is no positive number, or the picture would be more than 16,384 pixels wide or high.
    Scale(f32),
    /// The rasteriser gives up on the drawing.
    Picture(String),
}

impl fmt::Display for PngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PngError::NoFonts => f.write_str(
                "this machine has no fonts, and a diagram without words says nothing; install some, \
                 on Debian with `apt-get install fonts-liberation`, or use the SVG",
            ),
            PngError::Scale(scale) => {
                write!(
                    f,
                    "a picture {scale} times as large as the drawing cannot be made; choose another scale"
                )
            }
            PngError::Picture(why) => write!(f, "the picture cannot be painted: {why}; use the SVG"),
        }
    }
}

impl std::error::Error for PngError {}

/// Paints an SVG, this many pixels for one of its own.
pub(crate) fn paint(svg: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    // What the picture asks for, or what comes closest to it.
    let sans = ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"].into_iter().find(|family| {
        let families = &[fontdb::Family::Name(family)];
        fonts.query(&fontdb::Query { families, ..fontdb::Query::default() }).is_some()
    });
    let any = fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    let family = sans.map(str::to_owned).or(any).ok_or(PngError::NoFonts)?;
    fonts.set_sans_serif_family(family);
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| PngError::Picture(error.to_string()))?;
    let (width, height) = ((tree.size().width() * scale).ceil(), (tree.size().height() * scale).ceil());
    let fits = |length: f32| (1.0..=LONGEST).contains(&length);
    if !fits(width) || !fits(height) {
        return Err(PngError::Scale(scale));
    }
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or(PngError::Scale(scale))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PngError::Picture(error.to_string()))
}
