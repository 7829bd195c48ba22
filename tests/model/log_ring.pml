/* SPDX-License-Identifier: MIT */
/*
 * The log ring's protocol (hypervisor/log/ring.c), for spin to look at every
 * interleaving of it.
 *
 * A step here is one access to the ring there; both carry the same names, W1 to
 * W6 of a writer and R1 to R5 of a reader, and tests/model/run checks that each
 * has all of them.  That writers are interrupted by writers, in NMI and #MC, is
 * one way to interleave.  A writer may die before any step: its CPU has stopped.
 *
 * Steps happen in one order here.  On x86 a load may pass an older store of its
 * CPU, nothing else; between a writer's stores and its next load there is always
 * a locked instruction, and readers only load.
 *
 * Contents are two words, which hold the number of the record; a checksum is
 * right if both are the number that the cell is read under.
 *
 * -D of spin, each a mistake that must be found:
 *   BAD_ORDER    the number before the contents
 *   BAD_CLEAR    the number is not cleared first
 *   BAD_LOOK     no second look after the copy
 *   BAD_STORE    the number is stored, whatever is there meanwhile
 * The first three with NO_SUM, which believes contents as they are: then the
 * numbers alone must keep whoever is not overtaken by a whole lap from damage.
 */
#ifndef WRITERS
#define WRITERS 3
#endif
#ifndef RECORDS
#define RECORDS 2 /* of each writer */
#endif
#ifndef CELLS
#define CELLS 2
#endif
#define TOTAL   (WRITERS * RECORDS)
#define AT(n)   (((n) - 1) % CELLS)
#define OLDEST  (next > CELLS -> next - CELLS : 1)

byte next = 1;
byte number[CELLS], front[CELLS], back[CELLS];

/* What the proof knows, and the code does not. */
byte inside[CELLS];     /* writers in this cell that will go on  */
bool met[CELLS];        /* there were two at once, at some time  */
bool whole[TOTAL + 1];  /* this record's last step has been done */
bool someone_died;
byte ended;             /* writers that are done, or dead        */
byte passed;            /* records the reader has done with      */

inline enter(c)
{
    inside[c]++;
    if
    :: inside[c] > 1 -> met[c] = true
    :: else
    fi
}

/* Its CPU stops here, or it goes on. */
#define MAY_DIE(c, in)                                                         \
    if                                                                         \
    :: true                                                                    \
    :: atomic { someone_died = true; inside[c] = inside[c] - in; goto dead }   \
    fi

proctype writer()
{
    byte turn = 0, me = 0, now = 0;

    do
    :: turn == RECORDS -> break
    :: turn < RECORDS ->
        turn++;
W1:     d_step { me = next; next++ };
        MAY_DIE(0, 0);
#ifndef BAD_CLEAR
W2:     now = number[AT(me)];
        do
        :: now > me -> goto overtaken
        :: now <= me ->
W3:         atomic {
                if
                :: number[AT(me)] == now ->
                    number[AT(me)] = 0;
                    enter(AT(me));
                    break
                :: number[AT(me)] != now -> now = number[AT(me)]
                fi
            }
        od;
#else
        enter(AT(me));
        now = number[AT(me)];
#endif
        MAY_DIE(AT(me), 1);
#ifdef BAD_ORDER
        number[AT(me)] = me;
#endif
W4:     front[AT(me)] = me;
        MAY_DIE(AT(me), 1);
W5:     back[AT(me)] = me;
        MAY_DIE(AT(me), 1);
#ifndef BAD_CLEAR
        now = 0;
#endif
#if defined(BAD_ORDER)
        atomic { inside[AT(me)]--; whole[me] = true };
#elif defined(BAD_STORE)
        atomic { number[AT(me)] = me; inside[AT(me)]--; whole[me] = true };
#else
        do
        :: true ->
W6:         atomic {
                if
                :: number[AT(me)] == now ->
                    number[AT(me)] = me;
                    inside[AT(me)]--;
                    whole[me] = true;
                    break
                :: number[AT(me)] != now -> now = number[AT(me)]
                fi
            };
            if
            :: now > me -> inside[AT(me)]--; goto overtaken
            :: else
            fi
        od;
#endif
        goto next_one;
overtaken:
        /* Only by a number of a later lap. */
        assert(next > me + CELLS);
next_one:
        me = 0;
        now = 0
    od;
dead:
    ended++
}

mtype = { OK, EMPTY, PENDING, LOST };

/* log_ring_read(@n): @got */
inline read(n, got, found, one, two)
{
    got = OK;
R1: d_step {
        if
        :: n >= next -> got = EMPTY
        :: n < next && n < OLDEST -> got = LOST
        :: else
        fi
    };
    if
    :: got == OK ->
R2:     found = number[AT(n)];
        if
        :: found > n -> got = LOST
        :: found < n -> got = PENDING
        :: found == n ->
R3:         one = front[AT(n)];
R4:         two = back[AT(n)];
R5:         d_step {
                if
#ifndef BAD_LOOK
                :: number[AT(n)] != n -> got = LOST
                :: number[AT(n)] == n ->
#else
                :: true ->
#endif
#ifndef NO_SUM
                    if
                    :: one != n || two != n -> got = LOST
                    :: else
                    fi
#else
                    skip
#endif
                fi
            }
        fi
    :: else
    fi
}

/* Passes each number once: as a whole record, or as one of a gap. */
proctype reader()
{
    byte n = 1, found = 0, one = 0, two = 0;
    mtype got = OK;

    do
    :: n > TOTAL -> break
    :: n <= TOTAL ->
        read(n, got, found, one, two);
        if
        :: got == OK ->
            /* INV-LOG-2: what is believed is whole, and was finished. */
            assert(whole[n] || met[AT(n)]);
            assert((one == n && two == n) || met[AT(n)]);
            passed++;
            n++
        :: got == LOST -> passed++; n++
        :: else /* later, or never, if its writer died */
        fi;
        found = 0;
        one = 0;
        two = 0
    od;
    assert(passed == TOTAL)
}

/* When all is quiet. */
proctype judge()
{
    byte n = 1, found = 0, one = 0, two = 0;
    mtype got = OK;

    ended == WRITERS;
    n = OLDEST;
    do
    :: n >= next -> break
    :: n < next ->
        read(n, got, found, one, two);
        /* Nobody waits in vain, unless for the dead. */
        assert(got != PENDING || someone_died);
        assert(got != EMPTY);
        /* Lost is only what another writer, late by a lap, has spoilt; a dead
         * one does not. */
        assert(got == OK || met[AT(n)] || !whole[n]);
        n++
    od
}

init
{
    byte i;

    atomic {
        for (i : 1 .. WRITERS) {
            run writer()
        }
        run reader();
        run judge()
    }
}
