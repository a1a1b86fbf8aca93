// Selective scan of both directions, D skip, their sum, and the gate: y = (y[0] + y[1]) * silu(z).
//
// Meeting in the middle, in two launches. In the first, direction 0 walks the first half of the tiles and direction 1
// the second; each leaves its y in `scratch` (every token once) and its states in `carry`. In the second, each goes on
// into the other's half, adds what it finds there, gates, rounds once, and stores. No flips, no atomics, no second y.
//
// While a tile is walked in shared memory, the next is under way from global memory into registers. The lanes of a
// channel leave their shares of y in shared memory too, and who stores an octet adds them up: no shuffles in the walk,
// so that nothing there waits but the state, and one warp alone keeps its scheduler busy.
#include "scan.cuh"

constexpr int AHEAD = 4;  // steps whose inputs are in registers before they are due
static_assert(TILE % AHEAD == 0);

struct Tile {
    float steps[TILE][OCTETS][20];      // of each channel: step size, step size * u. Padded against bank conflicts
    float projected[TILE][2 * STATES];  // B, then C
};

// What each lane of each channel adds to y, padded likewise.
struct Shares {
    float of[TILE][OCTETS][8 * LANES + 4];
};

struct Fetched {
    Octet u[SLOTS], dt[SLOTS], projected[PROJECTED_SLOTS];
};

struct Inputs {
    const element *u, *dt;
    Projection projection;
};

static __device__ __forceinline__ void fetch(Fetched& to, const Inputs& from, const Place& place, int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row), count = place.count(token, octet);
        const long long at = place.of_direction(token, octet);
        to.u[i] = load_octet(from.u + at, count);
        to.dt[i] = load_octet(from.dt + at, count);
    });
    fetch_projected(to.projected, from.projection, place, tile);
}

static __device__ __forceinline__ void stash(Tile& to, const Fetched& from, const Place& place, int tile,
                                             const float (&bias)[8]) {
    each_octet([&](int i, int row, int octet) {
        const bool exists = place.token(tile, row) < place.length;
        float u[8], dt[8], steps[16];
        unpack(from.u[i], u);
        unpack(from.dt[i], dt);
#pragma unroll
        for (int c = 0; c < 8; ++c) {
            steps[2 * c] = softplus(exists ? dt[c] + bias[c] : NO_STEP);
            steps[2 * c + 1] = steps[2 * c] * u[c];
        }
        float4* pairs = reinterpret_cast<float4*>(to.steps[row][octet]);
#pragma unroll
        for (int c = 0; c < 4; ++c)
            pairs[c] = make_float4(steps[4 * c], steps[4 * c + 1], steps[4 * c + 2], steps[4 * c + 3]);
    });
    stash_projected(to.projected, from.projected);
}

// What the second launch needs besides: the other direction's y, and z.
struct Gate {
    Octet z[SLOTS];
    float y[SLOTS][8];
};

static __device__ __forceinline__ void fetch_gate(Gate& to, const element* z, long long z_row, const float* scratch,
                                                  const Place& place, int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row), count = place.count(token, octet);
        to.z[i] = load_octet(z + token * z_row + 8 * octet, count);
        load_floats(scratch + place.of_sample(token, octet), to.y[i], count);
    });
}

// The y of an octet of a row, this direction's alone: the lanes' shares, and the D skip.
static __device__ __forceinline__ void add_up(const Shares& shares, const Octet& of_u, const float (&skip)[8], int row,
                                              int octet, float (&y)[8]) {
    unpack(of_u, y);
#pragma unroll
    for (int c = 0; c < 8; ++c) {
        y[c] *= skip[c];
#pragma unroll
        for (int i = 0; i < LANES; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(&shares.of[row][octet][c * LANES + i]);
            y[c] += (four.x + four.y) + (four.z + four.w);
        }
    }
}

// The first launch's last step for a tile.
static __device__ __forceinline__ void keep(const Shares& shares, const Octet (&u)[SLOTS], const float (&skip)[8],
                                            float* scratch, const Place& place, int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row);
        float y[8];
        add_up(shares, u[i], skip, row, octet, y);
        store_floats(scratch + place.of_sample(token, octet), y, place.count(token, octet));
    });
}

// The second's; summed may be null.
static __device__ __forceinline__ void finish(const Shares& shares, const Octet (&u)[SLOTS], const float (&skip)[8],
                                              const Gate& gate, element* out, element* summed, const Place& place,
                                              int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row), count = place.count(token, octet);
        const long long at = place.of_sample(token, octet);
        float y[8], z[8];
        add_up(shares, u[i], skip, row, octet, y);
        unpack(gate.z[i], z);
#pragma unroll
        for (int c = 0; c < 8; ++c) y[c] += gate.y[i][c];
        if (summed) store_octet(summed + at, y, count);
#pragma unroll
        for (int c = 0; c < 8; ++c) y[c] *= silu(z[c]);
        store_octet(out + at, y, count);
    });
}

// What a lane needs for a step. Loaded ahead of its use: a load behind the store of a share cannot be moved before it.
struct Step {
    float2 size;  // and size * u
    Few b, c;
};

static __device__ __forceinline__ void load_steps(Step (&steps)[AHEAD], const Tile& tile, int row, int channel,
                                                  int lane) {
#pragma unroll
    for (int i = 0; i < AHEAD; ++i) {
        steps[i].size = reinterpret_cast<const float2*>(tile.steps[row + i][channel / 8])[channel % 8];
        steps[i].b = reinterpret_cast<const Few*>(tile.projected[row + i])[lane];
        steps[i].c = reinterpret_cast<const Few*>(tile.projected[row + i])[LANES + lane];
    }
}

// One lane's share of a tile: its states of one channel, step by step.
static __device__ __forceinline__ void walk(const Tile& tile, Shares& shares, Few& h, const Few& a, int channel,
                                            int lane) {
    Step now[AHEAD], next[AHEAD];
    load_steps(now, tile, 0, channel, lane);
#pragma unroll
    for (int row = 0; row < TILE; row += AHEAD) {
        if (row + AHEAD < TILE) load_steps(next, tile, row + AHEAD, channel, lane);
        float y[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; ++i) {
            y[i] = 0.0f;
#pragma unroll
            for (int n = 0; n < STATES_PER_LANE; ++n) {
                const float decay = exp2_approx(now[i].size.x * a.at[n]);
                h.at[n] = fmaf(decay, h.at[n], now[i].size.y * now[i].b.at[n]);
                y[i] = fmaf(now[i].c.at[n], h.at[n], y[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < AHEAD; ++i) {
            shares.of[row + i][channel / 8][channel % 8 * LANES + lane] = y[i];
            now[i] = next[i];
        }
    }
}

// half 0 or 1 says which launch it is. summed and states are null unless gradients will be wanted: the ungated sum, and
// the states with which each direction enters each tile.
extern "C" __global__ void __launch_bounds__(THREADS, 384 / THREADS)
    scan(const element* u, const element* dt, const float* a_of, const element* b, const element* c,
         long long bc_direction, long long bc_batch, long long bc_row, const float* skip_of, const float* bias_of,
         const element* z, long long z_batch, long long z_row, float* scratch, float* carry, element* out,
         element* summed, float* states, int samples, int length, int channels, int half) {
    __shared__ Tile tile;
    __shared__ Shares shares;
    const Place place = place_of(samples, length, channels);
    const long long bc = place.direction * bc_direction + place.batch * bc_batch;
    const Inputs inputs = {u, dt, {b + bc, c + bc, bc_row}};
    const element* gate_of = z + place.batch * z_batch + place.first_channel;
    const int channel = channel_of_thread(), lane = lane_of_thread(), octet = threadIdx.x % OCTETS;
    const bool exists = place.first_channel + channel < channels;

    // Tiles in walking order, [begin, end) of them in this launch.
    const int split = place.direction ? place.tiles - place.tiles / 2 : place.tiles / 2;
    const int begin = half ? split : 0, end = half ? place.tiles : split;
    const auto tile_at = [&](int step) { return place.direction ? place.tiles - 1 - step : step; };

    float bias[8], skip[8];
    Few h, a;
    const int here = place.direction * channels + place.first_channel;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const bool inside = place.first_channel + 8 * octet + i < channels;
        bias[i] = inside ? bias_of[here + 8 * octet + i] : 0.0f;
        skip[i] = inside ? skip_of[here + 8 * octet + i] : 0.0f;
    }
#pragma unroll
    for (int n = 0; n < STATES_PER_LANE; ++n)
        a.at[n] = exists ? LOG2_E * a_of[(here + channel) * STATES + lane * STATES_PER_LANE + n] : 0.0f;
    const long long sample = place.direction * samples + place.batch;
    Few* carried = reinterpret_cast<Few*>(carry) + (sample * channels + place.first_channel + channel) * LANES + lane;
    h = half && exists ? *carried : Few{};

    Fetched fetched;
    if (begin < end) fetch(fetched, inputs, place, tile_at(begin));
    for (int step = begin; step < end; ++step) {
        const int number = tile_at(step);
        stash(tile, fetched, place, number, bias);
        Octet u[SLOTS];
#pragma unroll
        for (int i = 0; i < SLOTS; ++i) u[i] = fetched.u[i];
        // Ahead of the barrier, which no load crosses: so they are under way while the tile is walked, not behind it.
        Gate gate;
        if (half) fetch_gate(gate, gate_of, z_row, scratch, place, number);
        if (step + 1 < end) fetch(fetched, inputs, place, tile_at(step + 1));
        __syncthreads();  // the tile is there
        if (states && exists) *reinterpret_cast<Few*>(states + place.of_states(number, channel, lane)) = h;
        walk(tile, shares, h, a, channel, lane);
        __syncthreads();  // all shares are there, and the tile may be overwritten
        if (half) finish(shares, u, skip, gate, out, summed, place, number);
        else keep(shares, u, skip, scratch, place, number);
    }
    if (!half && exists) *carried = h;
}
