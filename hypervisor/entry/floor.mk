entry-objs := vectors.o syscall.o ist.o trap.o nmi_entry.o mce_entry.o \
              syscall_entry.o double_fault.o work_exit.o irq_entry.o thunk.o \
              context_word.o
