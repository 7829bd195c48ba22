cpu-objs := percpu.o features.o desc.o extable.o lapic.o clock.o timer.o \
            softirq.o tenant.o pmu.o
cpu-objs += fpu.o alternative.o spec_ctrl.o spec_options.o ipi.o smp.o tlb.o tsc_sync.o topology.o
