#include "fleet/bundle_sink.h"

namespace posthorn::fleet {

Result<bool> BundleSink::write(ByteView piece) {
  if (piece.size() > left_) return fail(Errc::malformed, "the bundle is longer than announced");
  left_ -= piece.size();
  if (auto written = file_.append(piece); !written) return tl::unexpected(written.error());
  taken_ += piece.size();
  if (bytes_per_second_ == 0) return true;
  const auto due = milliseconds(static_cast<std::int64_t>(taken_ * 1000 / bytes_per_second_));
  const milliseconds gone = scheduler_.now() - started_;
  if (gone >= due) return true;
  timer_.start(due - gone, [this] {
    if (wake_) wake_();
  });
  return false;
}

}  // namespace posthorn::fleet
