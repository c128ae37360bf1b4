#pragma once

#include <cstddef>
#include <string_view>

namespace posthorn::wire {

inline constexpr std::string_view kNoiseXx = "Noise_XX_25519_AESGCM_SHA256";
inline constexpr std::string_view kNoiseIk = "Noise_IK_25519_AESGCM_SHA256";
inline constexpr std::string_view kNoiseFallback = "Noise_XXfallback_25519_AESGCM_SHA256";

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kSealedKeyBytes = 48;  ///< a key and a tag

}  // namespace posthorn::wire
