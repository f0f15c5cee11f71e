#include "domain/cache.h"

const char *orc_cache_miss_word(unsigned miss) {
    static const char *const words[ORC_CACHE_MISSES] = {
        [ORC_CACHE_NO_MISS] = "",
        [ORC_CACHE_NEVER_SEEN] = "never_seen",
        [ORC_CACHE_EXPIRED] = "expired",
        [ORC_CACHE_INVALIDATED] = "invalidated",
        [ORC_CACHE_REFRESHED] = "refresh",
        [ORC_CACHE_ENGINE_CHANGED] = "engine_changed",
        [ORC_CACHE_SOURCE_GONE] = "source_gone",
        [ORC_CACHE_ABANDONED] = "abandoned",
        [ORC_CACHE_UNAVAILABLE] = "unavailable",
    };
    return miss < ORC_CACHE_MISSES ? words[miss] : "";
}
