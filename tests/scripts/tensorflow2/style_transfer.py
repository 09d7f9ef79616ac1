# runs on: tensorflow. Style transfer: features of a network, and Gram matrices.
import json

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(9)


def load_img(pattern):
    img = tf.convert_to_tensor(pattern, dtype=tf.float32)
    shape = tf.cast(tf.shape(img)[:-1], tf.float32)
    scale = 24 / max(shape)
    new_shape = tf.cast(shape * scale, tf.int32)
    img = tf.image.resize(img, new_shape)
    return img[tf.newaxis, :]


square = np.zeros((32, 32, 3))
square[8:24, 8:24] = [0.9, 0.5, 0.1]
stripes = np.zeros((48, 48, 3))
stripes[::6] = stripes[1::6] = [0.1, 0.4, 0.9]
content_image, style_image = load_img(square), load_img(stripes)
assert content_image.shape == (1, 24, 24, 3) == tuple(style_image.shape)

base = tf.keras.Sequential(
    [
        tf.keras.layers.Input((None, None, 3)),
        tf.keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv2"),
    ]
)
base.set_weights([rng.normal(size=w.shape) * 0.3 for w in base.get_weights()])
style_layers, content_layers = ["conv1", "conv2"], ["conv2"]


def gram_matrix(input_tensor):
    result = tf.linalg.einsum("bijc,bijd->bcd", input_tensor, input_tensor)
    input_shape = tf.shape(input_tensor)
    num_locations = tf.cast(input_shape[1] * input_shape[2], tf.float32)
    return result / num_locations


class StyleContentModel(tf.keras.models.Model):
    def __init__(self, style_layers, content_layers):
        super().__init__()
        names = style_layers + content_layers
        self.vgg = tf.keras.Model(
            base.inputs, [base.get_layer(name).output for name in names]
        )
        self.style_layers, self.content_layers = style_layers, content_layers
        self.vgg.trainable = False

    def call(self, inputs):
        outputs = self.vgg(inputs * 2.0 - 1.0)
        n = len(self.style_layers)
        style = [gram_matrix(o) for o in outputs[:n]]
        return {
            "content": dict(zip(self.content_layers, outputs[n:], strict=True)),
            "style": dict(zip(self.style_layers, style, strict=True)),
        }


extractor = StyleContentModel(style_layers, content_layers)
style_targets = extractor(style_image)["style"]
content_targets = extractor(content_image)["content"]
image = tf.Variable(content_image)
opt = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-3)
style_weight, content_weight, total_variation_weight = 1.0, 1e-2, 1e-4


def clip_0_1(image):
    return tf.clip_by_value(image, clip_value_min=0.0, clip_value_max=1.0)


def style_content_loss(outputs):
    style, content = outputs["style"], outputs["content"]
    style_loss = tf.add_n(
        [tf.reduce_mean((style[name] - style_targets[name]) ** 2) for name in style]
    )
    content_loss = tf.add_n(
        [tf.reduce_mean((content[n] - content_targets[n]) ** 2) for n in content]
    )
    return style_loss * style_weight + content_loss * content_weight


@tf.function()
def train_step(image):
    with tf.GradientTape() as tape:
        loss = style_content_loss(extractor(image))
        loss += total_variation_weight * tf.reduce_sum(tf.image.total_variation(image))
    grad = tape.gradient(loss, image)
    opt.apply_gradients([(grad, image)])
    image.assign(clip_0_1(image))
    return loss


losses = [float(train_step(image)) for step in range(40)]
pixels = np.array(image)[0]
tf.keras.utils.save_img("styled.png", pixels)
assert losses[-1] < 0.7 * losses[0]
assert pixels.min() >= 0 and pixels.max() <= 1 and pixels.shape == (24, 24, 3)
read = tf.image.decode_png(tf.io.read_file("styled.png"), channels=3)
assert read.dtype == tf.uint8 and read.shape == (24, 24, 3)
# What TensorFlow 2.21 gave.
assert np.allclose([losses[0], losses[5]], [36.79523, 28.40203], rtol=5e-3)
print("RESULT", json.dumps([losses[0], losses[5], losses[-1], float(pixels.mean())]))
