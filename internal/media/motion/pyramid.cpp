#include <memory>
#include <opencv2/video/tracking.hpp>
#include <vector>

typedef std::vector<cv::Mat> Pyramid;

// What OpenCV throws must not pass into Go.
extern "C" void *consentry_pyramid(const unsigned char *grey, int width, int height, int side, int levels) {
  try {
    const cv::Mat picture(height, width, CV_8U, const_cast<unsigned char *>(grey));
    std::unique_ptr<Pyramid> made(new Pyramid);
    cv::buildOpticalFlowPyramid(picture, *made, cv::Size(side, side), levels, true, cv::BORDER_REFLECT_101,
                                cv::BORDER_CONSTANT, false);
    return made.release();
  } catch (...) {
    return nullptr;
  }
}

extern "C" void consentry_pyramid_free(void *made) { delete static_cast<Pyramid *>(made); }

// to holds a guess before.
extern "C" int consentry_lucas_kanade(void *before, void *after, const float *from, float *to, unsigned char *found, int points,
                                      int side, int levels, int rounds, double precision, double flatness) {
  try {
    const cv::Mat start(points, 1, CV_32FC2, const_cast<float *>(from));
    cv::Mat end(points, 1, CV_32FC2, to), status(points, 1, CV_8U, found);
    cv::calcOpticalFlowPyrLK(*static_cast<Pyramid *>(before), *static_cast<Pyramid *>(after), start, end, status,
                             cv::noArray(), cv::Size(side, side), levels,
                             cv::TermCriteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, rounds, precision),
                             cv::OPTFLOW_USE_INITIAL_FLOW, flatness);
    return end.ptr<float>() == to && status.data == found;
  } catch (...) {
    return 0;
  }
}
