#include "queue/aligned_buffer.h"

#include <cstring>

namespace posthorn::queue {

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(size) {
  const std::size_t whole = (size + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, whole)));
  if (data_ == nullptr) std::abort();  // out of memory ends the process everywhere else too
  std::memset(data_.get(), 0, whole);
}

}  // namespace posthorn::queue
