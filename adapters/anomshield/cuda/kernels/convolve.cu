// Depthwise convolution of both directions, 4 taps, zero padded, then SiLU.
//
// A thread has VEC neighbouring channels of ROWS neighbouring tokens. It reads those rows and the 3 on either side
// once, all loads in flight together, and computes both directions from registers. The rows on either side are those of
// the block's other warps: they come from L1.
#include "common.cuh"
#include "convolve.cuh"

// xs [batch, length, channels] by strides, weight [2, channels, 4], bias [2, channels]
// -> u [2, batch, length, channels]
extern "C" __global__ void __launch_bounds__(32 * WARPS)
convolve(const element* __restrict__ xs, long long batch_stride, long long row_stride, const float* __restrict__ weight,
         const float* __restrict__ bias, element* __restrict__ u, int length, int channels) {
    __shared__ Taps taps;
    const int channel = blockIdx.x * WIDTH + threadIdx.x * VEC;
    const int start = (blockIdx.y * WARPS + threadIdx.y) * ROWS;

    load_taps(taps, weight, bias, channels);
    if (channel >= channels) return;

    float x[ROWS + 2 * HALO][VEC];
    const element* from = xs + blockIdx.z * batch_stride + (start - HALO) * row_stride + channel;
    load_window(x, from, row_stride, start - HALO, length);
#pragma unroll
    for (int direction = 0; direction < 2; ++direction) {
        float own[TAPS + 1][VEC];
        take_taps(own, taps, direction);
        const long long sequence = static_cast<long long>(direction) * gridDim.z + blockIdx.z;
        element* out = u + (sequence * length + start) * channels + channel;
#pragma unroll
        for (int row = 0; row < ROWS; ++row, out += channels) {
            float total[VEC];
#pragma unroll
            for (int v = 0; v < VEC; ++v) {
                total[v] = own[TAPS][v];
#pragma unroll
                for (int j = 0; j < TAPS; ++j) total[v] += own[j][v] * x[row + (direction ? 2 * HALO - j : j)][v];
                total[v] = silu(total[v]);
            }
            if (start + row < length) store_pack(out, total);
        }
    }
}
