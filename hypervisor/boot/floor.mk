boot-objs := head.o ap.o smp.o setup.o loader.o multiboot2.o cmdline.o \
             harvest.o selfcheck.o version.o
