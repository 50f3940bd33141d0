#include <opencv2/core/utility.hpp>

extern "C" void consentry_one_thread(void) { cv::setNumThreads(0); }
