/* SPDX-License-Identifier: MIT */
/*
 * How FIFO event channels are linked (hypervisor/domain/evtchn_fifo.c), for spin
 * to look at every interleaving of it.
 *
 * A step here is one access there to what several CPUs use; both carry the same
 * names, F1 to F14, and tests/model/run checks that each has all of them.  What
 * only who holds a vcpu's queues uses is in the step before.
 *
 * Steps happen in one order here.  On x86 a load may pass an older store of its
 * CPU, nothing else: F1 to F3, F8 and F10 to F14 are locked operations, and
 * between them no load is of a word that another one must have seen stored.
 *
 * Senders make channels pending; two may send to one at a time.  The guest takes
 * what is linked, moves channels between vcpus, and closes one, for which it
 * waits for who sends to it.  A timer goes on with what is late.
 *
 * -D of spin, each a mistake that must be found:
 *   BAD_LOOK    the release is no compare-and-swap: no last look
 *   BAD_CLAIM   a channel is left though it waits already
 *   BAD_ORDER   the claim is given up after the look at the word
 *   BAD_HOME    linked wherever it waited, not where it was linked last
 *   BAD_TAIL    the old tail is not forgotten
 *   BAD_LATE    steps are counted, but no timer is set
 *   BAD_CLOSE   who closes does not wait for who looks
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef SENDS
#define SENDS 1 /* of each */
#endif
#ifndef MORE
#define MORE 0 /* of the first */
#endif
#ifndef CHANNELS
#define CHANNELS 2
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef CLOSES
#define CLOSES 0 /* of channel 1 */
#endif
#ifndef STEPS
#define STEPS 3
#endif
#define QUEUES 2
#define NONE   9
#define HELD   16 /* TURN_HELD; channels are numbered from 1 */
#define PORT(x) ((x) & 15)

/* Of channels; [0] is not used. */
bool pending[CHANNELS + 1], linked[CHANNELS + 1];
byte vcpu[CHANNELS + 1], last[CHANNELS + 1], nxt[CHANNELS + 1];
/* Of vcpus. */
byte turn[QUEUES], taken[QUEUES], rest[QUEUES], tail[QUEUES], looks_at[QUEUES];
byte next_held[QUEUES];
bool late[QUEUES];
bool timer_is_set;
chan queue[QUEUES] = [CHANNELS] of { byte }; /* as the guest finds it */

/* What the proof knows, and the code does not. */
byte home[CHANNELS + 1];   /* vcpu it is linked at                     */
byte sends_to[SENDERS];    /* whose lock who closes waits for          */
bool closed[CHANNELS + 1]; /* no send begins                           */
bool gone[CHANNELS + 1];   /* closed, and nobody may link it any more  */
byte sent;                 /* senders that are done                    */
byte moved;
bool timer_ended;

/* A sender, or the timer. */
proctype cpu(byte me; bool is_timer)
{
    byte turns = 0, c = 0, q = 0, goal = 0, v = 0, old = 0, steps = 0;
    byte held = NONE;
    byte from = 0; /* 0: work; 1: looks at it by itself; 2: as it waited */

begin:
    if
    :: is_timer ->
        if
        :: atomic { timer_is_set ->
            timer_is_set = false;
            q = 0;
            do
            :: q == QUEUES -> break
            :: q < QUEUES ->
                if
                :: late[q] ->
                    late[q] = false;
                    next_held[q] = held;
                    held = q
                :: else
                fi;
                q++
            od;
            q = 0;
            steps = STEPS
        }
        goto work
        :: sent == SENDERS && !timer_is_set && !late[0] && !late[1] ->
            timer_ended = true;
            goto end_cpu
        fi
    :: atomic { !is_timer && turns == SENDS + (me == 0 -> MORE : 0) ->
        sent++;
        goto end_cpu
    }
    :: !is_timer && turns < SENDS + (me == 0 -> MORE : 0) ->
        atomic {
            turns++;
            select(c : 1 .. CHANNELS);
            if
            :: closed[c] -> goto begin
            :: else
            fi;
            sends_to[me] = c;
            pending[c] = true;
            steps = STEPS
        };
        if
        :: atomic { linked[c] -> goto sent_it }
        :: atomic { !linked[c] -> q = vcpu[c] }
        fi
    fi;
F14:
    if
    :: atomic { turn[q] == 0 -> turn[q] = HELD; from = 1 }
    :: atomic { turn[q] != 0 -> goal = q; goto leave }
    fi;

look:
F4: if
    :: atomic { from == 1 && last[c] == q -> goto link }
#ifndef BAD_HOME
    :: atomic { last[c] != q -> goal = last[c]; goto leave }
    :: atomic { from != 1 && last[c] == q -> v = vcpu[c] }
#else
    :: atomic { from != 1 || last[c] != q -> v = vcpu[c] }
#endif
    fi;
F5: if
    :: atomic { !pending[c] || linked[c] -> goto left }
    :: atomic { pending[c] && !linked[c] -> skip }
    fi;
#ifndef BAD_TAIL
F6: if
    :: atomic { tail[q] == c -> tail[q] = 0 }
    :: atomic { tail[q] != c -> skip }
    fi;
#endif
F7: atomic {
        last[c] = v;
        if
        :: v != q -> goal = v; goto leave
        :: else
        fi
    };
link:
F8: atomic {
        if
        :: linked[c] -> goto left
        :: else
        fi;
        assert(!gone[c]);
        linked[c] = true;
        home[c] = q
    };
    atomic {
        old = tail[q];
        if
        :: old != 0 && old != c && linked[old] ->
            /* Its link serves this queue, and it is the end of it. */
            assert(home[old] == q)
        :: else ->
            /* The head is ours to set: the guest has come to the end. */
            assert(empty(queue[q]))
        fi;
        queue[q]!c;
        tail[q] = c;
        old = 0;
        goto left
    };

leave:
F1: atomic {
#ifndef BAD_CLAIM
        if
        :: nxt[c] != 0 -> goto left
        :: else
        fi;
#endif
        nxt[c] = HELD
    };
    do
    :: old = turn[goal];
       if
       :: old == 0 ->
           nxt[c] = HELD;
F2:        if
           :: atomic { turn[goal] == 0 ->
               turn[goal] = HELD;
               assert(rest[goal] == 0 && taken[goal] == 0);
               rest[goal] = c;
               next_held[goal] = held;
               held = goal;
               break
           }
           :: atomic { turn[goal] != 0 -> skip }
           fi
       :: else ->
           nxt[c] = old;
F3:        if
           :: atomic { turn[goal] == old -> turn[goal] = HELD + c; break }
           :: atomic { turn[goal] != old -> skip }
           fi
       fi
    od;

left:
    atomic {
        old = 0;
        v = 0;
        goal = 0;
        if
        :: from == 0 -> goto work
        :: from == 2 ->
#ifdef BAD_ORDER
            rest[q] = PORT(nxt[c]);
            nxt[c] = 0;
#endif
            looks_at[q] = 0;
            goto stepped
        :: from == 1 -> from = 0
        fi
    };
    /* link_word() gives back what it took itself. */
    if
    :: atomic { held == NONE && turn[q] == HELD -> turn[q] = 0; goto sent_it }
    :: atomic { held != NONE || turn[q] != HELD ->
        next_held[q] = held;
        held = q
    }
    fi;

work:
    atomic {
        if
        :: held == NONE -> goto sent_it
        :: else -> q = held; held = next_held[q]; next_held[q] = NONE
        fi
    };
step:
    if
    :: taken[q] != 0 ->
F9:     atomic {
            c = taken[q];
            assert(nxt[c] >= HELD);
            taken[q] = PORT(nxt[c]);
            nxt[c] = HELD + rest[q];
            rest[q] = c
        }
    :: taken[q] == 0 && rest[q] != 0 ->
        looks_at[q] = rest[q];
F10:    atomic {
            c = rest[q];
            assert(nxt[c] >= HELD);
#ifndef BAD_ORDER
            rest[q] = PORT(nxt[c]);
            nxt[c] = 0;
#endif
            from = 2;
            goto look
        }
    :: taken[q] == 0 && rest[q] == 0 ->
#ifndef BAD_LOOK
F11:    if
        :: atomic { turn[q] == HELD -> turn[q] = 0; goto work }
        :: atomic { turn[q] != HELD -> skip }
        fi;
#else
        if
        :: turn[q] == HELD -> turn[q] = 0; goto work
        :: turn[q] != HELD
        fi;
#endif
F12:    atomic { taken[q] = PORT(turn[q]); turn[q] = HELD }
    fi;
stepped:
    atomic {
        from = 0;
        steps--;
        if
        :: steps != 0 -> goto step
        :: else -> next_held[q] = held; held = q
        fi
    };
    do
    :: held == NONE -> goto sent_it
    :: held != NONE ->
F13:    atomic {
            q = held;
            held = next_held[q];
            next_held[q] = NONE;
            old = !late[0] && !late[1];
            late[q] = true
        };
        if
        :: old ->
            old = 0;
#ifndef BAD_LATE
            timer_is_set = true
#endif
        :: else
        fi
    od;

sent_it:
    atomic {
        if
        :: !is_timer -> sends_to[me] = 0
        :: else
        fi;
        q = 0;
        c = 0;
        steps = 0;
        from = 0;
        goto begin
    };
end_cpu:
    skip
}

/* One for all vcpus; and when all is quiet, it looks what was forgotten. */
proctype guest()
{
    byte c = 0, v = 0;

    do
    :: nempty(queue[0]) || nempty(queue[1]) ->
        atomic {
            if
            :: nempty(queue[0]) -> v = 0
            :: nempty(queue[1]) -> v = 1
            fi;
            queue[v]?c;
            assert(linked[c] && home[c] == v);
            linked[c] = false;
            home[c] = 0
        };
        atomic { pending[c] = false; c = 0; v = 0 }
    :: atomic { moved < MOVES ->
        moved++;
        select(c : 1 .. CHANNELS);
        vcpu[c] = 1 - vcpu[c];
        c = 0
    }
    :: timer_ended && empty(queue[0]) && empty(queue[1]) -> break
    od;
    assert(turn[0] == 0 && taken[0] == 0 && rest[0] == 0);
    assert(turn[1] == 0 && taken[1] == 0 && rest[1] == 0);
    for (c : 1 .. CHANNELS) {
        assert(nxt[c] == 0);
        assert(!pending[c]) /* no event is lost */
    }
}

#define NOBODY_SENDS_TO(c)                                                     \
    (sends_to[0] != c && sends_to[1] != c && sends_to[SENDERS - 1] != c)

/* It has the locks that a sender to it must have. */
proctype closer()
{
    byte v;

    atomic { NOBODY_SENDS_TO(1) -> closed[1] = true };
    pending[1] = false;
    v = last[1];
#ifndef BAD_CLOSE
    looks_at[v] != 1;
#endif
    gone[1] = true
}

init
{
    byte i;

    atomic {
        for (i : 0 .. QUEUES - 1) {
            next_held[i] = NONE
        }
        for (i : 0 .. SENDERS - 1) {
            run cpu(i, false)
        }
        run cpu(SENDERS, true);
        run guest();
#if CLOSES
        run closer()
#endif
    }
}
