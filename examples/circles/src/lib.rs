//! A library that defines a class. A program that links it can receive values of the class without mentioning it.

use serde::{Deserialize, Serialize};
use shapes::Shape;

/// A circle.
#[derive(Serialize, Deserialize)]
pub struct Circle {
    /// The radius.
    pub radius: f64,
}

#[typetag::serde]
impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.radius * self.radius
    }
}
