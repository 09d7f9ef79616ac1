# runs on: tensorflow. Actor and critic: a tape over each episode, as it is played.
import json

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

seed = 42
np.random.seed(seed)
tf.random.set_seed(seed)
gamma, max_steps_per_episode = 0.5, 8
eps = np.finfo(np.float32).eps.item()
num_inputs, num_actions, num_hidden = 4, 3, 32


def observe():
    """Which of four lights is on; the right answer is its number, or 2 for the last."""
    light = np.random.randint(num_inputs)
    return light, np.eye(num_inputs)[light]


inputs = layers.Input(shape=(num_inputs,))
common = layers.Dense(num_hidden, activation="relu")(inputs)
action = layers.Dense(num_actions, activation="softmax")(common)
critic = layers.Dense(1)(common)
model = keras.Model(inputs=inputs, outputs=[action, critic])

optimizer = keras.optimizers.Adam(learning_rate=0.03)
huber_loss = keras.losses.Huber()
action_probs_history, critic_value_history, rewards_history = [], [], []
running_reward, start_reward = None, 0.0

for episode in range(30):
    episode_reward = 0
    with tf.GradientTape() as tape:
        for _ in range(max_steps_per_episode):
            light, state = observe()
            state = tf.convert_to_tensor(state)
            state = tf.expand_dims(state, 0)
            action_probs, critic_value = model(state)
            critic_value_history.append(critic_value[0, 0])
            chosen = tf.random.categorical(tf.math.log(action_probs), 1)[0, 0].numpy()
            action_probs_history.append(tf.math.log(action_probs[0, chosen]))
            reward = 1.0 if chosen == min(light, 2) else 0.0
            rewards_history.append(reward)
            episode_reward += reward
        running_reward = (
            episode_reward
            if running_reward is None
            else 0.1 * episode_reward + 0.9 * running_reward
        )
        returns = []
        discounted_sum = 0
        for r in rewards_history[::-1]:
            discounted_sum = r + gamma * discounted_sum
            returns.insert(0, discounted_sum)
        returns = np.array(returns)
        returns = (returns - np.mean(returns)) / (np.std(returns) + eps)
        returns = returns.tolist()

        history = zip(action_probs_history, critic_value_history, returns, strict=True)
        actor_losses, critic_losses = [], []
        for log_prob, value, ret in history:
            diff = ret - value
            actor_losses.append(-log_prob * tf.stop_gradient(diff))
            critic_losses.append(
                huber_loss(tf.expand_dims(value, 0), tf.expand_dims(ret, 0))
            )
        loss_value = sum(actor_losses) + sum(critic_losses)
    grads = tape.gradient(loss_value, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
    action_probs_history.clear()
    critic_value_history.clear()
    rewards_history.clear()
    if episode == 9:
        start_reward = running_reward
    if episode % 10 == 9:
        template = "running reward: {:.2f} at episode {}"
        print(template.format(running_reward, episode + 1))

probs, values = model(np.eye(num_inputs, dtype="float32"))
assert probs.shape == (4, 3) and values.shape == (4, 1)
assert np.allclose(tf.reduce_sum(probs, axis=1), 1, atol=1e-5)
assert running_reward > start_reward, (start_reward, running_reward)
right = int(np.sum(np.argmax(probs, axis=1) == [0, 1, 2, 2]))
assert right >= 2
print("RESULT", json.dumps([running_reward, right]))
