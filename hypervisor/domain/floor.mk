domain-objs += domain.o vcpu.o sched.o account.o shared_info.o vclock.o \
               vtimer.o death.o
domain-objs += frame_use.o evtchn.o evtchn_bind.o evtchn_2l.o evtchn_fifo.o \
               virq.o
domain-objs += pirq.o rights.o
domain-objs += grant.o grant_map.o grant_copy.o
