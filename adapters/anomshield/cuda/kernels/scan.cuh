// What the scan and its gradient agree on: how a block divides its channels, states and tokens among threads.
//
// A block owns CHANNELS neighbouring channels of one direction of one sample and walks its tokens tile by tile. The
// states of a channel are spread over LANES lanes of a warp, which keep them in registers all the way. Both
// directions cut the tokens into the same tiles; direction 1 takes the tiles, and the rows within one, from the end.
// "Row" is always the place within a tile in walking order, so that behind these functions nothing knows of directions.
//
// Macros a launch sets besides common.cuh's: CHANNELS (16, 32), TILE (32, 64), STATES_PER_LANE (2, 4).
#pragma once
#include "common.cuh"

constexpr int STATES = 16;
constexpr int LANES = STATES / STATES_PER_LANE;
constexpr int THREADS = CHANNELS * LANES;
constexpr int OCTETS = CHANNELS / 8;  // of a row
constexpr int SLOTS = (TILE * OCTETS + THREADS - 1) / THREADS;  // octets of a tile that a thread moves
constexpr int PROJECTED = 2 * STATES / 8;                       // octets of B and C of one token
constexpr int PROJECTED_SLOTS = (TILE * PROJECTED + THREADS - 1) / THREADS;
static_assert(THREADS % 32 == 0 && THREADS % OCTETS == 0);

// The channel of the block that a thread works on, and which lane of that channel it is. Threads whose numbers differ
// in the lowest bit have the same states of neighbouring channels and read the same B and C; those that differ in the
// next have the same channel and read the same step: wide loads from shared memory then take fewer passes.
static __device__ __forceinline__ int channel_of_thread() { return threadIdx.x / (2 * LANES) * 2 + threadIdx.x % 2; }
static __device__ __forceinline__ int lane_of_thread() { return threadIdx.x / 2 % LANES; }

// The states, or what belongs to them, of one lane.
struct alignas(4 * STATES_PER_LANE) Few {
    float at[STATES_PER_LANE];
};

struct Place {
    int batch, samples;  // of samples
    int direction;
    int length, channels;  // of the whole problem
    int first_channel;     // of this block
    int tiles;
    long long in_sample, in_direction;  // where token 0's channels of this block begin, see below

    // Token of a row of a tile; it does not exist where it is >= length.
    __device__ __forceinline__ int token(int tile, int row) const {
        return tile * TILE + (direction ? TILE - 1 - row : row);
    }
    // How many of the eight channels of an octet exist, none of a token that does not.
    __device__ __forceinline__ int count(int token, int octet) const {
        return token < length ? channels - first_channel - 8 * octet : 0;
    }
    // Where the octet begins in [samples, length, channels], and in the same with a leading axis of two directions.
    __device__ __forceinline__ long long of_sample(int token, int octet) const {
        return in_sample + static_cast<long long>(token) * channels + 8 * octet;
    }
    __device__ __forceinline__ long long of_direction(int token, int octet) const {
        return in_direction + static_cast<long long>(token) * channels + 8 * octet;
    }
    // Where a lane's states are in [2, samples, tiles, channels, STATES], for a channel of this block.
    __device__ __forceinline__ long long of_states(int tile, int channel, int lane) const {
        const long long row = static_cast<long long>(direction * samples + batch) * tiles + tile;
        return (row * channels + first_channel + channel) * STATES + lane * STATES_PER_LANE;
    }
};

static __device__ __forceinline__ Place place_of(int samples, int length, int channels) {
    Place place;
    place.first_channel = blockIdx.x * CHANNELS;
    place.batch = blockIdx.y;
    place.direction = blockIdx.z;
    place.samples = samples;
    place.length = length;
    place.channels = channels;
    place.tiles = (length + TILE - 1) / TILE;
    const long long sample = static_cast<long long>(length) * channels;
    place.in_sample = place.batch * sample + place.first_channel;
    place.in_direction = place.direction * samples * sample + place.in_sample;
    return place;
}

// Do something with each octet of a tile that is this thread's to move, the same on the way in and on the way out:
// body(which of its SLOTS, row, octet of the row).
template <class Body>
static __device__ __forceinline__ void each_octet(const Body& body) {
#pragma unroll
    for (int i = 0; i < SLOTS; ++i) {
        const int slot = threadIdx.x + i * THREADS;
        if (SLOTS * THREADS == TILE * OCTETS || slot < TILE * OCTETS) body(i, slot / OCTETS, slot % OCTETS);
    }
}

// B and C of this block's direction and sample: column slices of one tensor, whose rows are `stride` elements apart.
struct Projection {
    const element *b, *c;
    long long stride;
};

static __device__ __forceinline__ void fetch_projected(Octet (&to)[PROJECTED_SLOTS], const Projection& from,
                                                       const Place& place, int tile) {
#pragma unroll
    for (int i = 0; i < PROJECTED_SLOTS; ++i) {
        const int slot = threadIdx.x + i * THREADS, row = slot / PROJECTED, part = slot % PROJECTED;
        const int token = row < TILE ? place.token(tile, row) : place.length;
        const element* base = part < 2 ? from.b : from.c;
        to[i] = load_octet(base + token * from.stride + part % 2 * 8, token < place.length ? 8 : 0);
    }
}

static __device__ __forceinline__ void stash_projected(float (&to)[TILE][2 * STATES],
                                                       const Octet (&from)[PROJECTED_SLOTS]) {
#pragma unroll
    for (int i = 0; i < PROJECTED_SLOTS; ++i) {
        const int slot = threadIdx.x + i * THREADS, row = slot / PROJECTED, part = slot % PROJECTED;
        if (row >= TILE) break;
        float values[8];
        unpack(from[i], values);
        float4* rows = reinterpret_cast<float4*>(&to[row][8 * part]);
        rows[0] = make_float4(values[0], values[1], values[2], values[3]);
        rows[1] = make_float4(values[4], values[5], values[6], values[7]);
    }
}

// What softplus and sigmoid both make 0 of: the step size of a token that does not exist, which changes no state.
constexpr float NO_STEP = -1e30f;
