// Package evaluation measures how often the detector misses a face and how often the describers
// mistake one person for another, with confidence intervals, in the terms of ISO/IEC 19795-1.
// Nothing here is part of the way of an asset.
package evaluation
