/* SPDX-License-Identifier: MIT */
/*
 * The log ring's protocol (hypervisor/log/ring.c), for spin to look at every
 * interleaving of it.
 *
 * A step here is one access to the ring there, with all that its CPU does by
 * itself until the next; both carry the same names, W1 to W6 of a writer and R1
 * to R7 of a reader.  That writers are interrupted by writers, in NMI and #MC, is
 * one way to interleave.  A writer may die before any step: its CPU has stopped.
 *
 * The table: which step or end may follow which (log_ring.h has the names).
 *   W1 > W2
 *   W2 > W3 OVER
 *   W3 > W3 W4 OVER
 *   W4 > W5
 *   W5 > W6
 *   W6 > W6 PUT OVER
 *   R1 > R2 EMPTY
 *   R2 > R3 LOST
 *   R3 > R4 PENDING LOST
 *   R4 > R5
 *   R5 > R6
 *   R6 > R7
 *   R7 > OK LOST
 * tests/unit/log/test_ring_steps.c reads it, and the steps below, and drives the
 * code, unchanged, through every interleaving: it must take these, and no others.
 * tests/model/run compares each transition of each state, too: with -DTRANSITIONS
 * the verifier writes them into a file of that name, as does that test.
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
#include "log_ring.h"

#ifndef WRITERS
#define WRITERS 3
#endif
#ifndef RECORDS
#define RECORDS 2 /* of each writer */
#endif
#ifndef CELLS
#define CELLS 2
#endif
#ifndef SPAN
#define SPAN 1 /* cells of a record, drawn at once */
#endif
#define TOTAL   (WRITERS * RECORDS * SPAN)
#define AT(n)   (((n) - 1) % CELLS)
#define OLDEST  (next > CELLS -> next - CELLS : 1)

byte next = 1;
byte number[CELLS], front[CELLS], back[CELLS];

/* What a writer has in its registers: its step, records it is done with, cells of
 * this one it is done with, its number, what it takes for the cell's number. */
byte at[WRITERS] = W1, turn[WRITERS], part[WRITERS], me[WRITERS], old[WRITERS];

/* The same of the reader: its step, the number it wants, what it has copied. */
byte looks = R1, wants = 1, copy, one, two;

/* What the proof knows, and the code does not. */
byte inside[CELLS];     /* writers in this cell that will go on  */
bool met[CELLS];        /* there were two at once, at some time  */
bool whole[TOTAL + 1];  /* this record's last step has been done */
bool someone_died;
byte ended;             /* writers that are done, or dead        */
byte passed;            /* records the reader has done with      */

hidden byte how; /* of this step: PUT ... OK */

#ifdef TRANSITIONS
c_decl {
    \#include "seen.h"
};

inline before_step()
{
    how = 0;
    c_code { state(); }
}

inline after_step()
{
    c_code { seen_byte(how); state(); seen_end("transitions"); }
}

c_code {
    static void state(void)
    {
        int i;

        seen_byte(now.next);
        for (i = 0; i < CELLS; i++) {
            seen_byte(now.number[i]);
            seen_byte(now.front[i]);
            seen_byte(now.back[i]);
        }
        for (i = 0; i < WRITERS; i++) {
            seen_byte(now.at[i]);
            seen_byte(now.turn[i]);
            seen_byte(now.part[i]);
            seen_byte(now.me[i]);
            seen_byte(now.old[i]);
        }
        seen_byte(now.looks);
        seen_byte(now.wants);
        seen_byte(now.copy);
        seen_byte(now.one);
        seen_byte(now.two);
    }
};
#else
#define before_step() how = 0
#define after_step()
#endif

inline enter(c)
{
    inside[c]++;
    if
    :: inside[c] > 1 -> met[c] = true
    :: else
    fi
}

/* Writer @w is done with its cell. */
inline leave(w, why)
{
    how = why;
    old[w] = 0;
    part[w]++;
    if
    :: part[w] < SPAN -> me[w]++; at[w] = W2
    :: else ->
        part[w] = 0;
        me[w] = 0;
        turn[w]++;
        if
        :: turn[w] < RECORDS -> at[w] = W1
        :: else -> at[w] = DONE; ended++
        fi
    fi
}

inline overtaken(w)
{
    /* Only by a number of a later lap. */
    assert(next > me[w] + CELLS);
    leave(w, OVER)
}

inline publish(w)
{
    number[AT(me[w])] = me[w];
    inside[AT(me[w])]--;
    whole[me[w]] = true;
    leave(w, PUT)
}

proctype writer(byte w)
{
    do
    :: d_step {
        at[w] == W1 ->
            before_step();
            me[w] = next;
            next = next + SPAN;
#ifdef BAD_CLEAR
            enter(AT(me[w]));
            at[w] = W4;
#else
            at[w] = W2;
#endif
            after_step()
    }
#ifndef BAD_CLEAR
    :: d_step {
        at[w] == W2 ->
            before_step();
            old[w] = number[AT(me[w])];
            if
            :: old[w] > me[w] -> overtaken(w)
            :: else -> at[w] = W3
            fi;
            after_step()
    }
    :: d_step {
        at[w] == W3 ->
            before_step();
            if
            :: number[AT(me[w])] == old[w] ->
                number[AT(me[w])] = 0;
                enter(AT(me[w]));
                old[w] = 0;
#ifdef BAD_ORDER
                number[AT(me[w])] = me[w];
#endif
                at[w] = W4
            :: else ->
                old[w] = number[AT(me[w])];
                if
                :: old[w] > me[w] -> overtaken(w)
                :: else
                fi
            fi;
            after_step()
    }
#endif
    :: d_step {
        at[w] == W4 ->
            before_step();
            front[AT(me[w])] = me[w];
            at[w] = W5;
            after_step()
    }
    :: d_step {
        at[w] == W5 ->
            before_step();
            back[AT(me[w])] = me[w];
            at[w] = W6;
            after_step()
    }
    :: d_step {
        at[w] == W6 ->
            before_step();
            if
#if defined(BAD_STORE) || defined(BAD_CLEAR) || defined(BAD_ORDER)
            :: true -> publish(w)
#else
            :: number[AT(me[w])] == old[w] -> publish(w)
            :: else ->
                old[w] = number[AT(me[w])];
                if
                :: old[w] > me[w] -> inside[AT(me[w])]--; overtaken(w)
                :: else
                fi
#endif
            fi;
            after_step()
    }
#ifndef TRANSITIONS
    /* Who has died is, for the others, one who makes no step any more.  Those
     * are among the transitions anyhow. */
    :: d_step {
        at[w] < DONE ->
            someone_died = true;
            if
            :: at[w] > W3 -> inside[AT(me[w])]--
            :: else
            fi;
            at[w] = DEAD;
            ended++
    }
#endif
    :: at[w] >= DONE -> break
    od
}

/* The reader has its answer.  Passes each number once: as a whole record, or as
 * one of a gap; or asks again. */
inline gets(what)
{
    how = what;
    if
    :: how == OK ->
        /* INV-LOG-2: what is believed is whole, and was finished. */
        assert(whole[wants] || met[AT(wants)]);
        assert((one == wants && two == wants) || met[AT(wants)])
    :: else
    fi;
    if
    :: how == OK || how == LOST -> passed++; wants++
    :: else /* later, or never, if its writer died */
    fi;
    copy = 0;
    one = 0;
    two = 0;
    looks = (wants > TOTAL -> DONE : R1)
}

proctype reader()
{
    do
    :: d_step {
        looks == R1 ->
            before_step();
            if
            :: wants >= next -> gets(EMPTY)
            :: else -> looks = R2
            fi;
            after_step()
    }
    :: d_step {
        looks == R2 ->
            before_step();
            if
            :: wants < OLDEST -> gets(LOST)
            :: else -> looks = R3
            fi;
            after_step()
    }
    :: d_step {
        looks == R3 ->
            before_step();
            if
            :: number[AT(wants)] > wants -> gets(LOST)
            :: number[AT(wants)] < wants -> gets(PENDING)
            :: else -> looks = R4
            fi;
            after_step()
    }
    :: d_step {
        looks == R4 ->
            before_step();
            copy = number[AT(wants)];
            looks = R5;
            after_step()
    }
    :: d_step {
        looks == R5 ->
            before_step();
            one = front[AT(wants)];
            looks = R6;
            after_step()
    }
    :: d_step {
        looks == R6 ->
            before_step();
            two = back[AT(wants)];
            looks = R7;
            after_step()
    }
    :: d_step {
        looks == R7 ->
            before_step();
            if
#ifndef BAD_LOOK
            :: number[AT(wants)] != wants || copy != wants -> gets(LOST)
#endif
#ifndef NO_SUM
            :: one != wants || two != wants -> gets(LOST)
#endif
            :: else -> gets(OK)
            fi;
            after_step()
    }
    :: looks == DONE -> break
    od;
    assert(passed == TOTAL)
}

#ifndef TRANSITIONS
/* When all is quiet: what a reader that comes now gets. */
proctype judge()
{
    byte n, got;

    d_step {
        ended == WRITERS ->
        n = OLDEST;
        do
        :: n >= next -> break
        :: else ->
            if
            :: number[AT(n)] > n -> got = LOST
            :: number[AT(n)] < n -> got = PENDING
#ifndef NO_SUM
            :: number[AT(n)] == n && (front[AT(n)] != n || back[AT(n)] != n) ->
                got = LOST
#endif
            :: else -> got = OK
            fi;
            /* Nobody waits in vain, unless for the dead. */
            assert(got != PENDING || someone_died);
            /* Lost is only what another writer, late by a lap, has spoilt; a
             * dead one does not. */
            assert(got == OK || met[AT(n)] || !whole[n]);
            n++
        od
    }
}
#endif

init
{
    byte i;

    atomic {
        for (i : 1 .. WRITERS) {
            run writer(i - 1)
        }
        run reader();
#ifndef TRANSITIONS
        run judge()
#endif
    }
}
