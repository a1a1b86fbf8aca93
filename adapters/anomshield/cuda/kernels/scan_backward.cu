// Gradients of the scan, both directions at once, each walked against its direction.
//
// With g = grad * silu(z), per direction, channel and state (t counts in walking order):
//   adjoint[t] = C[t] g[t] + decay[t+1] adjoint[t+1]
//   dC[t] = sum over channels of g h,    dB[t] = sum over channels of adjoint * step * u
//   du = D g + step * sum_n adjoint B,   dstep = u * sum_n adjoint B + sum_n A adjoint decay h[t-1]
//   dA = sum_t step * adjoint decay h[t-1], dD = sum_t g u, ddt = dstep * sigmoid(dt + bias), dbias = sum_t ddt
// and once, shared between the directions: dz = grad * (y[0] + y[1]) * silu'(z).
//
// Of the forward pass only the states at the tiles' edges are there. A tile is walked once forward to find the states
// at the edges of its parts, then part by part from the end: forward, keeping decay and h of its steps in registers,
// and backward. Nothing is added to memory by more than one thread: what a warp's channels bring to dB and dC is summed
// in shared memory, then the block's warps, and the host sums the blocks. The same input gives the same bits.
#include "scan.cuh"

constexpr int PART = 8;      // steps whose states are in registers
constexpr int PARTS = TILE / PART;
constexpr int GROUPS = PART / LANES;  // of steps whose sums are made together
constexpr int WARPS = THREADS / 32;
constexpr int WARP_CHANNELS = 32 / LANES;
constexpr float LN_2 = 0.6931471805599453f;
static_assert(STATES_PER_LANE == 4 && PART % LANES == 0 && WARP_CHANNELS == 8 && PART * 2 * LANES <= THREADS);

struct Tile {
    float4 steps[TILE][OCTETS][9];             // of each channel: step size, u, g, sigmoid; later du, ddt. Padded
    float projected[TILE][2 * STATES];         // B, then C
    Few edges[PARTS - 1][THREADS];             // states between the parts
    float4 brought[WARPS][LANES][2][WARP_CHANNELS][LANES];  // dB, dC of each of a warp's channels at LANES steps
    float4 sums[WARPS][PART][2][LANES];        // the same, summed over these channels
};

struct Fetched {
    Octet u[SLOTS], dt[SLOTS], grad[SLOTS], summed[SLOTS], z[SLOTS], projected[PROJECTED_SLOTS];
    Few entry;
};

struct Inputs {
    const element *u, *dt, *grad, *summed, *z;
    long long z_row;
    Projection projection;
    const float* states;
};

static __device__ __forceinline__ void fetch(Fetched& to, const Inputs& from, const Place& place, int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row), count = place.count(token, octet);
        const long long at = place.of_direction(token, octet);
        to.u[i] = load_octet(from.u + at, count);
        to.dt[i] = load_octet(from.dt + at, count);
        to.grad[i] = load_octet(from.grad + place.of_sample(token, octet), count);
        to.summed[i] = load_octet(from.summed + place.of_sample(token, octet), count);
        to.z[i] = load_octet(from.z + token * from.z_row + 8 * octet, count);
    });
    fetch_projected(to.projected, from.projection, place, tile);
    const int channel = channel_of_thread();
    to.entry = Few{};
    if (place.first_channel + channel < place.channels)
        to.entry = *reinterpret_cast<const Few*>(from.states + place.of_states(tile, channel, lane_of_thread()));
}

static __device__ __forceinline__ void stash(Tile& to, const Fetched& from, const Place& place, int tile,
                                             const float* bias) {
    // Read again for every tile: eight registers fewer than keeping them.
    const int first = 8 * (threadIdx.x % OCTETS);
    float biases[8];
#pragma unroll
    for (int c = 0; c < 8; ++c) biases[c] = place.first_channel + first + c < place.channels ? bias[first + c] : 0.0f;
    each_octet([&](int i, int row, int octet) {
        const bool exists = place.token(tile, row) < place.length;
        float u[8], dt[8], grad[8], z[8];
        unpack(from.u[i], u);
        unpack(from.dt[i], dt);
        unpack(from.grad[i], grad);
        unpack(from.z[i], z);
#pragma unroll
        for (int c = 0; c < 8; ++c) {
            const float x = exists ? dt[c] + biases[c] : NO_STEP;
            to.steps[row][octet][c] = make_float4(softplus(x), u[c], grad[c] * silu(z[c]), sigmoid(x));
        }
    });
    stash_projected(to.projected, from.projected);
}

// dz of a tile: it depends on no direction, so each direction does one half of the tiles.
static __device__ __forceinline__ void gate_gradient(element* dz, const Fetched& from, const Place& place, int tile) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(tile, row), count = place.count(token, octet);
        float y[8], grad[8], z[8];
        unpack(from.summed[i], y);
        unpack(from.grad[i], grad);
        unpack(from.z[i], z);
#pragma unroll
        for (int c = 0; c < 8; ++c) {
            const float open = sigmoid(z[c]);
            z[c] = grad[c] * y[c] * (open * fmaf(z[c], 1.0f - open, 1.0f));
        }
        store_octet(dz + place.of_sample(token, octet), z, count);
    });
}

// du and ddt of a tile, which its walk has left in shared memory.
static __device__ __forceinline__ void store_gradients(element* du, element* ddt, const Tile& tile, const Place& place,
                                                       int number) {
    each_octet([&](int i, int row, int octet) {
        const int token = place.token(number, row), count = place.count(token, octet);
        float of_u[8], of_dt[8];
#pragma unroll
        for (int c = 0; c < 8; ++c) {
            const float2 pair = *reinterpret_cast<const float2*>(&tile.steps[row][octet][c]);
            of_u[c] = pair.x;
            of_dt[c] = pair.y;
        }
        store_octet(du + place.of_direction(token, octet), of_u, count);
        store_octet(ddt + place.of_direction(token, octet), of_dt, count);
    });
}

// What one lane carries from tile to tile, and what it is: a channel, STATES_PER_LANE of its states.
struct Lane {
    int channel, lane, warp;
    Few a;        // A log2(e)
    float skip;   // D
    Few adjoint;  // decay[t+1] adjoint[t+1]
    Few of_a;
    float of_skip, of_bias;
};

// What a lane needs for a step.
struct Step {
    float size, u, g, sigmoid;
    Few b, c;
};

static __device__ __forceinline__ Step load_step(const Tile& tile, int row, const Lane& me) {
    const float4 of = tile.steps[row][me.channel / 8][me.channel % 8];
    const Few* projected = reinterpret_cast<const Few*>(tile.projected[row]);
    return {of.x, of.y, of.z, of.w, projected[me.lane], projected[LANES + me.lane]};
}

// Leave the states between the parts in the tile's edges.
static __device__ __forceinline__ void find_edges(Tile& tile, Few h, const Lane& me) {
    for (int part = 0; part < PARTS - 1; ++part) {
#pragma unroll
        for (int i = 0; i < PART; ++i) {
            const Step step = load_step(tile, part * PART + i, me);
#pragma unroll
            for (int n = 0; n < STATES_PER_LANE; ++n)
                h.at[n] = fmaf(exp2_approx(step.size * me.a.at[n]), h.at[n], step.size * step.u * step.b.at[n]);
        }
        tile.edges[part][threadIdx.x] = h;
    }
}

// One column of what the warp's channels brought for LANES steps: a step, dB or dC, four states. A warp has as many
// columns as lanes. Those of dC begin with the second channel, so that neighbours meet different banks.
static __device__ __forceinline__ void sum_channels(Tile& tile, int first, const Lane& me) {
    const int column = threadIdx.x % 32, states = column % LANES, which = column / LANES % 2, step = column / 8;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll
    for (int i = 0; i < WARP_CHANNELS; ++i) {
        const float4 one = tile.brought[me.warp][step][which][(i + which) % WARP_CHANNELS][states];
        sum = make_float4(sum.x + one.x, sum.y + one.y, sum.z + one.z, sum.w + one.w);
    }
    tile.sums[me.warp][first + step][which][states] = sum;
}

// Each lane of a channel brings a value for each of them, and lane i leaves with the sum of all values[i].
// LANES - 1 shuffles, where summing the values one by one takes LANES log2(LANES).
static __device__ __forceinline__ float scatter_sum(float (&values)[LANES], int lane) {
#pragma unroll
    for (int half = LANES / 2; half > 0; half /= 2) {
        const bool upper = lane & half;
#pragma unroll
        for (int i = 0; i < half; ++i) {
            const float kept = upper ? values[i + half] : values[i];
            const float given = upper ? values[i] : values[i + half];
            values[i] = kept + __shfl_xor_sync(WHOLE_WARP, given, 2 * half);
        }
    }
    return values[0];
}

// Walk one part forward from `start`, then backward.
static __device__ __forceinline__ void walk(Tile& tile, int part, const Few start, Lane& me) {
    const int first = part * PART;
    Few decay[PART], h[PART];
#pragma unroll
    for (int i = 0; i < PART; ++i) {
        const Step step = load_step(tile, first + i, me);
#pragma unroll
        for (int n = 0; n < STATES_PER_LANE; ++n) {
            decay[i].at[n] = exp2_approx(step.size * me.a.at[n]);
            h[i].at[n] = fmaf(decay[i].at[n], i ? h[i - 1].at[n] : start.at[n], step.size * step.u * step.b.at[n]);
        }
    }
    // One step ahead: a load behind the stores of what was brought could not be moved before them.
    Step step = load_step(tile, first + PART - 1, me), next = step;
    float through_b[GROUPS][LANES], through_a[GROUPS][LANES];  // sums over this lane's states
#pragma unroll
    for (int group = GROUPS - 1; group >= 0; --group) {
#pragma unroll
        for (int j = LANES - 1; j >= 0; --j) {
            const int i = group * LANES + j, mine = me.channel % WARP_CHANNELS;
            if (i > 0) next = load_step(tile, first + i - 1, me);
            Few of_b, of_c;
            through_b[group][j] = through_a[group][j] = 0.0f;
#pragma unroll
            for (int n = 0; n < STATES_PER_LANE; ++n) {
                const float adjoint = fmaf(step.c.at[n], step.g, me.adjoint.at[n]);
                of_c.at[n] = step.g * h[i].at[n];
                of_b.at[n] = adjoint * (step.size * step.u);
                through_b[group][j] = fmaf(adjoint, step.b.at[n], through_b[group][j]);
                me.adjoint.at[n] = decay[i].at[n] * adjoint;
                const float through = me.adjoint.at[n] * (i ? h[i - 1].at[n] : start.at[n]);
                through_a[group][j] = fmaf(through, me.a.at[n], through_a[group][j]);
                me.of_a.at[n] = fmaf(through, step.size, me.of_a.at[n]);
            }
            tile.brought[me.warp][j][0][mine][me.lane] = make_float4(of_b.at[0], of_b.at[1], of_b.at[2], of_b.at[3]);
            tile.brought[me.warp][j][1][mine][me.lane] = make_float4(of_c.at[0], of_c.at[1], of_c.at[2], of_c.at[3]);
            step = next;
        }
        __syncwarp();  // all lanes have brought theirs
        sum_channels(tile, group * LANES, me);
        __syncwarp();  // before the next steps overwrite what was brought; all lanes have read the steps of this group
    }
#pragma unroll
    for (int group = 0; group < GROUPS; ++group) {
        const float sum_b = scatter_sum(through_b[group], me.lane);
        const float sum_a = LN_2 * scatter_sum(through_a[group], me.lane);
        float4& at = tile.steps[first + group * LANES + me.lane][me.channel / 8][me.channel % 8];
        const float size = at.x, u = at.y, g = at.z;
        const float of_dt = fmaf(u, sum_b, sum_a) * at.w;
        me.of_skip = fmaf(g, u, me.of_skip);
        me.of_bias += of_dt;
        reinterpret_cast<float2&>(at) = make_float2(fmaf(size, sum_b, me.skip * g), of_dt);
    }
}

// The block's share of dB and dC of one part, summed over its warps, to [2, samples, blocks, length, 2 * STATES].
static __device__ __forceinline__ void store_sums(float* partial, const Tile& tile, const Place& place, int number,
                                                  int part) {
    const int column = threadIdx.x, states = column % LANES, which = column / LANES % 2, step = column / (2 * LANES);
    if (step >= PART) return;
    const int token = place.token(number, part * PART + step);
    if (token >= place.length) return;
    float4 sum = tile.sums[0][step][which][states];
#pragma unroll
    for (int warp = 1; warp < WARPS; ++warp) {
        const float4 one = tile.sums[warp][step][which][states];
        sum = make_float4(sum.x + one.x, sum.y + one.y, sum.z + one.z, sum.w + one.w);
    }
    const long long sample = place.direction * place.samples + place.batch;
    const long long row = (sample * gridDim.x + blockIdx.x) * place.length + token;
    reinterpret_cast<float4*>(partial)[(row * 2 + which) * LANES + states] = sum;
}

// a_grad [2, samples, channels, STATES], skip_grad and bias_grad [2, samples, channels]: the host sums the samples.
extern "C" __global__ void __launch_bounds__(THREADS, 256 / THREADS)
    scan_backward(const element* grad, const element* u, const element* dt, const float* a_of, const element* b,
                  const element* c, long long bc_direction, long long bc_batch, long long bc_row, const float* skip_of,
                  const float* bias_of, const element* z, long long z_batch, long long z_row, const element* summed,
                  const float* states, element* du, element* ddt, float* a_grad, float* partial, float* skip_grad,
                  float* bias_grad, element* dz, int samples, int length, int channels) {
    __shared__ Tile shared;
    const Place place = place_of(samples, length, channels);
    const long long bc = place.direction * bc_direction + place.batch * bc_batch;
    const element* gate = z + place.batch * z_batch + place.first_channel;
    const Inputs inputs = {u, dt, grad, summed, gate, z_row, {b + bc, c + bc, bc_row}, states};
    const int here = place.direction * channels + place.first_channel;

    Lane me = {};
    me.channel = channel_of_thread(), me.lane = lane_of_thread(), me.warp = threadIdx.x / 32;
    const bool exists = place.first_channel + me.channel < channels;
    if (exists) {
        me.skip = skip_of[here + me.channel];
#pragma unroll
        for (int n = 0; n < STATES_PER_LANE; ++n)
            me.a.at[n] = LOG2_E * a_of[(here + me.channel) * STATES + me.lane * STATES_PER_LANE + n];
    }

    const auto tile_at = [&](int step) { return place.direction ? step : place.tiles - 1 - step; };
    Fetched fetched;
    fetch(fetched, inputs, place, tile_at(0));
    for (int step = 0; step < place.tiles; ++step) {
        const int tile = tile_at(step);
        stash(shared, fetched, place, tile, bias_of + here);
        if ((tile < place.tiles / 2) == (place.direction == 0)) gate_gradient(dz, fetched, place, tile);
        const Few entry = fetched.entry;
        // Ahead of the barrier, which no load crosses: so it is under way while the tile is walked, not behind it.
        if (step + 1 < place.tiles) fetch(fetched, inputs, place, tile_at(step + 1));
        __syncthreads();  // the tile is there
        find_edges(shared, entry, me);
        for (int part = PARTS - 1; part >= 0; --part) {
            walk(shared, part, part ? shared.edges[part - 1][threadIdx.x] : entry, me);
            __syncthreads();  // all warps' sums of the part are there
            store_sums(partial, shared, place, tile, part);
            __syncthreads();  // before the next part overwrites them
        }
        store_gradients(du, ddt, shared, place, tile);
    }

    const long long sample = place.direction * samples + place.batch;
#pragma unroll
    for (int apart = 2; apart < 2 * LANES; apart *= 2) {  // the channel's lanes
        me.of_skip += __shfl_xor_sync(WHOLE_WARP, me.of_skip, apart);
        me.of_bias += __shfl_xor_sync(WHOLE_WARP, me.of_bias, apart);
    }
    if (!exists) return;
    const long long at = sample * channels + place.first_channel + me.channel;
    reinterpret_cast<Few*>(a_grad)[at * LANES + me.lane] = me.of_a;
    if (me.lane == 0) {
        skip_grad[at] = me.of_skip;
        bias_grad[at] = me.of_bias;
    }
}
