// Package footage makes films in which it is known where every face is on every frame, so that what the
// product covers can be measured without anybody drawing boxes by hand.
//
// A film is made of still photographs that known paths move: whole ones, as a camera would see them, and heads cut out
// of them. It promises that the same seed and the same stills make the same frames, and that [Film.Sights] says of each face where
// its box is, how it is turned, and which points of it can be seen: inside of the frame and behind nothing.
//
// What it cannot make is a head that turns: a still has one side only. A face turned out of the plane is
// squeezed like a card, which hides nothing of it and shows no profile.
//
// It is pure but for [Film.Write], which runs ffmpeg. It belongs to the evaluation and is no part of the product.
package footage
