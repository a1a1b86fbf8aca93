// As many exponentials as the special-function units take: eight chains a thread, nothing else between them.
extern "C" __global__ void exponentials(float* out, int rounds) {
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = -0.1f * (threadIdx.x + i);
    for (int round = 0; round < rounds; ++round) {
#pragma unroll
        for (int i = 0; i < 8; ++i) asm volatile("ex2.approx.ftz.f32 %0, %0;" : "+f"(x[i]));
    }
    float total = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) total += x[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = total;
}
