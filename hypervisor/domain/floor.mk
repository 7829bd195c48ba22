domain-objs += domain.o domain_reap.o vcpu.o account.o shared_info.o vclock.o \
               vtsc.o vtimer.o death.o
domain-objs += frame_use.o evtchn.o evtchn_bind.o evtchn_2l.o evtchn_fifo.o \
    evtchn_fifo_pages.o \
               virq.o
domain-objs += sched.o sched_move.o sched_cpus.o sched_domain.o
domain-objs += pirq.o rights.o
domain-objs += grant.o grant_entry.o grant_version.o grant_map.o grant_copy.o
