# runs on: tensorflow. Deep Q-learning in a tiny world: replay and a target network.
import collections
import json
import random

import numpy as np
import tensorflow as tf
from tensorflow import keras

random.seed(2)
np.random.seed(2)
tf.random.set_seed(2)


class Corridor:
    """Seven cells; right of the last one is the prize, left of the first a pit."""

    n_cells = 7

    def reset(self):
        self.cell, self.steps = 3, 0
        return self._state()

    def _state(self):
        return np.eye(self.n_cells, dtype=np.float32)[self.cell]

    def step(self, action):
        self.cell += 1 if action == 1 else -1
        self.steps += 1
        if self.cell >= self.n_cells:
            self.cell = self.n_cells - 1
            return self._state(), 1.0, True, {}
        if self.cell < 0:
            self.cell = 0
            return self._state(), -1.0, True, {}
        return self._state(), -0.01, self.steps >= 30, {}


env = Corridor()
n_outputs = 2


def build():
    return keras.models.Sequential(
        [
            keras.layers.Dense(24, activation="elu", input_shape=[env.n_cells]),
            keras.layers.Dense(n_outputs),
        ]
    )


model, target = build(), build()
target.set_weights(model.get_weights())
replay_memory = collections.deque(maxlen=2000)
batch_size, discount_rate = 32, 0.95
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.Huber()


def epsilon_greedy_policy(state, epsilon=0):
    if np.random.rand() < epsilon:
        return np.random.randint(n_outputs)
    return int(np.argmax(model(state[np.newaxis])[0]))


def sample_experiences(batch_size):
    batch = random.sample(replay_memory, batch_size)
    return [
        np.array([experience[field] for experience in batch], dtype=np.float32)
        for field in range(5)
    ]


@tf.function
def q_step(states, actions, target_q):
    mask = tf.one_hot(actions, n_outputs)
    with tf.GradientTape() as tape:
        all_q_values = model(states)
        q_values = tf.reduce_sum(all_q_values * mask, axis=1, keepdims=True)
        loss = tf.reduce_mean(loss_fn(target_q, q_values))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
    return loss


def training_step(batch_size):
    states, actions, rewards, next_states, dones = sample_experiences(batch_size)
    best_next = np.argmax(model.predict(next_states, verbose=0), axis=1)  # double DQN
    next_mask = tf.one_hot(best_next, n_outputs).numpy()
    next_q = (target(next_states).numpy() * next_mask).sum(axis=1)
    target_q = rewards + (1 - dones) * discount_rate * next_q
    return q_step(states, tf.cast(actions, tf.int32), target_q.reshape(-1, 1))


losses, returns = [], []
for episode in range(60):
    state, total = env.reset(), 0.0
    epsilon = max(1 - episode / 40, 0.05)
    while True:
        action = epsilon_greedy_policy(state, epsilon)
        next_state, reward, done, info = env.step(action)
        replay_memory.append((state, action, reward, next_state, done))
        state, total = next_state, total + reward
        if done:
            break
    returns.append(total)
    if len(replay_memory) >= batch_size:
        losses += [float(training_step(batch_size)) for _ in range(6)]
    if episode % 5 == 0:
        target.set_weights(model.get_weights())

state, greedy = env.reset(), 0.0
for _ in range(10):
    state, reward, done, _ = env.step(epsilon_greedy_policy(state))
    greedy += reward
    if done:
        break
q = model.predict(np.eye(env.n_cells, dtype=np.float32), verbose=0)
print(np.round(q, 2))
assert greedy > 0.9, greedy
assert (q[3:, 1] > q[3:, 0]).all() and np.mean(losses[-9:]) < np.mean(losses[:3])
print("RESULT", json.dumps([greedy, *q[:, 1].tolist()]))
